from __future__ import annotations

import pytest
import torch

from stepwell import Scheduler, find_lr
from stepwell.find.paste import for_family, for_live
from stepwell.tasks.optimizers import FAMILIES

WSD = "linear 0..1 for 5% | hold | 1-sqrt to 0 for 20%"


def run(code: str, **names: object) -> dict[str, object]:
    """What the pasted code makes, beside what is there already."""
    exec(code, names)  # noqa: S102 -- it is ours
    return names


def model() -> torch.nn.Module:
    return torch.nn.Linear(2, 1)


def test_a_new_optimizer_and_its_schedule() -> None:
    assert for_family("momentum", None)(0.0562, WSD, 620) == (
        "import torch\n"
        "from stepwell import Scheduler\n"
        "\n"
        "optimizer = torch.optim.SGD(model.parameters(), lr=0.0562, momentum=0.9)\n"
        "scheduler = Scheduler(\n"
        "    optimizer,\n"
        f'    "{WSD}",\n'
        "    total_steps=620,\n"
        ")\n"
        "# after each optimizer.step():\n"
        "scheduler.step()"
    )


def test_a_constant_rate_of_a_new_optimizer_needs_no_scheduler() -> None:
    assert for_family("sgd", None)(0.1, "hold", None) == (
        "import torch\n\noptimizer = torch.optim.SGD(model.parameters(), lr=0.1)"
    )


def test_a_live_optimizer_is_not_made_again_and_its_groups_get_their_rates() -> None:
    code = for_live([1.0, 0.1])(0.01, WSD, 100)
    assert code.startswith("from stepwell import Scheduler\n\nscheduler = Scheduler(\n    optimizer,\n")
    assert "    base_lr=[0.01, 0.001],\n" in code
    groups = [{"params": [torch.nn.Parameter(torch.ones(1))]} for _ in range(2)]
    live = torch.optim.SGD(groups, lr=0.5)
    live.step()
    made = run(code, optimizer=live)
    assert made["optimizer"] is live
    assert [group["initial_lr"] for group in live.param_groups] == [0.01, 0.001]


def test_the_code_of_a_search_amid_training_runs_where_a_scheduler_is_on_the_optimizer() -> None:
    torch.manual_seed(0)
    net = model()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    scheduler = Scheduler(optimizer, "cosine 1..0", total_steps=100)
    batches = [torch.randn(8, 2, generator=torch.Generator().manual_seed(number)) for number in range(8)]
    found = find_lr(net, optimizer, loss=lambda m, x: m(x).square().mean(), data=batches, total_steps=100, budget=100)
    made = run(found.code, optimizer=optimizer, scheduler=scheduler)
    assert made["scheduler"] is not scheduler
    assert optimizer.param_groups[0]["lr"] == found.lr


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("schedule", ["hold", "hold 0.5", WSD, "steps x0.1 every 2ep"])
def test_every_code_runs_in_short_lines(family: str, schedule: str) -> None:
    options = dict.fromkeys(FAMILIES[family].defaults, 0.25)
    for code in for_family(family, options)(1.77828e-3, schedule, 40), for_family(family, None)(0.1, schedule, 40):
        made = run(code, model=model(), STEPS_PER_EPOCH=10)
        assert isinstance(made["optimizer"], torch.optim.Optimizer)
        assert ("scheduler" in made) is (schedule != "hold")
        assert all(len(line) <= 100 and "  #" not in line for line in code.splitlines())


def test_what_was_not_given_is_left_to_fill_in() -> None:
    code = for_live([1.0])(0.1, "steps x0.1 every 2ep", None)
    assert "    total_steps=TOTAL_STEPS,\n    steps_per_epoch=STEPS_PER_EPOCH,\n    base_lr=0.1,\n" in code
    constant = for_live([1.0])(0.1, "hold", None)
    assert "total_steps" not in constant
    assert "    base_lr=0.1,\n" in constant


@pytest.mark.parametrize(("mode", "seen"), [("", "val_loss"), (", max", "val_score")])
def test_feedback_is_given_what_it_looks_at(mode: str, seen: str) -> None:
    code = for_family("sgd", None)(0.1, f"hold * plateau(x0.5, patience 3{mode})", 20)
    assert code.splitlines()[-2:] == ["# after each validation:", f"scheduler.observe({seen})"]
    run(code, model=model(), **{seen: 1.0})
