"""What can be wrong with a loss, and how it shows that memory ran out."""

from __future__ import annotations

from torch import Tensor

from stepwell.errors import TaskError


def single(loss: object) -> Tensor:
    """The loss, if it is one number.

    Raises:
        TaskError: it is not.
    """
    if not isinstance(loss, Tensor):
        instead = "; give the tensor itself, not its .item()" if isinstance(loss, float) else ""
        raise TaskError(f"the loss must be a tensor with a single number, got a {type(loss).__name__}{instead}")
    if loss.numel() != 1:
        raise TaskError(f"the loss must be a tensor with a single number, got shape {tuple(loss.shape)}; take its mean")
    if loss.is_complex():
        raise TaskError("the loss must be a tensor with a single real number, got a complex one; take its abs()")
    return loss


def check_loss(loss: object) -> None:
    """Refuse a loss from which nothing can be learned.

    Raises:
        TaskError: it is not one number, or has no gradient.
    """
    if not single(loss).requires_grad:
        raise TaskError(
            "the loss has no gradient (was it detached, or computed under no_grad?), so nothing can be learned"
        )


def memory_words(error: Exception) -> str | None:
    """What an error says about memory that ran out; None if it is another."""
    words = str(error).splitlines()[0] if str(error) else type(error).__name__
    if isinstance(error, MemoryError):
        return words
    missing = ("out of memory", "can't allocate memory", "cannot allocate memory")
    if isinstance(error, RuntimeError) and any(text in str(error).lower() for text in missing):
        return words[:160]
    return None
