"""Values kept so that they can be put back: the same objects with the same contents, however often."""

from __future__ import annotations

import copy
import random
from collections import deque
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any, TypeAlias, final

import numpy as np
import torch
from torch import Tensor, nn

PutBack: TypeAlias = Callable[[], Any]
"""Puts a value's contents back; the value."""


@final
class Kept:
    """What was kept, to be put back by `restore`.

    Containers are put back in place, through any nesting, and so are tensors and arrays; random generators get their
    state back. Everything else is kept by reference, which is all that a number or a function needs. An object is kept
    with its attributes where `attributes` is called for it.
    """

    def __init__(self) -> None:
        self._tensors: list[Tensor] = []
        self._copies: list[Tensor] = []
        self._moved: list[PutBack] = []
        self._roots: list[PutBack] = []
        self._known: dict[int, tuple[object, PutBack]] = {}

    def value(self, value: Any) -> None:
        """Keep a value."""
        self._roots.append(self._keep(value))

    def attributes(self, thing: object, without: Collection[str] = ()) -> None:
        """Keep the attributes of an object but those named; any that is added later is taken away again."""
        self._roots.append(self._attributes(thing, without))

    def whole(self, values: dict[Any, Any]) -> None:
        """Keep a dict of which nothing may be kept by reference alone: unknown objects in it are copied.

        Raises:
            TypeError: something cannot be copied; the message says what, as `'momentum' (a generator)`.
        """
        self._roots.append(self._dict(values, self._copied))
        self._known[id(values)] = (values, partial(_same, values))  # it need not be put back twice

    def restore(self) -> None:
        """Put everything back. May be called any number of times, also after a call that was interrupted."""
        with torch.no_grad():
            for move in self._moved:
                move()
            if self._tensors:
                torch._foreach_copy_(self._tensors, self._copies)
        for root in self._roots:
            root()

    def _keep(self, value: Any) -> PutBack:
        if type(value) in (int, float, bool, str, type(None)):
            return partial(_same, value)
        known = self._known.get(id(value))
        if known is not None:
            return known[1]
        if _recursive(value):  # it may hold itself: what is met again while it is read puts nothing back
            self._known[id(value)] = (value, partial(_same, value))
        put_back = self._first_time(value)
        self._known[id(value)] = (value, put_back)  # held, so that the id stays its own
        return put_back

    def _first_time(self, value: Any) -> PutBack:
        match value:
            case nn.Parameter():
                return self._parameter(value)
            case Tensor():
                return self._tensor(value)
            case dict():
                return self._dict(value, self._keep)
            case list() | deque():
                return partial(_fill, value, [self._keep(item) for item in value])
            case tuple():
                return partial(_each, value, [self._keep(item) for item in value])
            case set():
                return partial(_refill, value, frozenset(value))
            case np.ndarray():
                return partial(_assign, value, value.copy())
            case torch.Generator() | random.Random() | np.random.Generator() | np.random.RandomState():
                return _generator(value)
            case _:
                return partial(_same, value)

    def _tensor(self, tensor: Tensor) -> PutBack:
        writable = _writable(tensor)
        self._tensors.append(writable)
        self._copies.append(writable.detach().clone())
        if tensor.layout is torch.strided and type(tensor) in (Tensor, nn.Parameter):
            self._moved.append(partial(_move_back, tensor, tensor.detach()))
        return partial(_same, tensor)

    def _parameter(self, parameter: nn.Parameter) -> PutBack:
        self._tensor(parameter)
        gradient = parameter.grad
        if gradient is not None:
            self._keep(gradient)
        return partial(_put_gradient, parameter, parameter.requires_grad, gradient)

    def _dict(self, values: dict[Any, Any], keep: Callable[[Any], PutBack]) -> PutBack:
        return partial(_update, values, {key: keep(value) for key, value in values.items()})

    def _attributes(self, thing: object, without: Collection[str]) -> PutBack:
        own = vars(thing)
        kept = {name: self._keep(value) for name, value in own.items() if name not in without}
        return partial(_set_attributes, own, kept, frozenset(without))

    def _copied(self, value: Any, within: str = "") -> PutBack:
        """As `_keep`, but what it would keep by reference is copied."""
        match value:
            case dict():
                items = {
                    key: self._copied(item, key if isinstance(key, str) else within) for key, item in value.items()
                }
                return partial(_update, value, items)
            case list() | deque():
                return partial(_fill, value, [self._copied(item, within) for item in value])
            case tuple():
                return partial(_each, value, [self._copied(item, within) for item in value])
            case Tensor() | np.ndarray() | set() | torch.Generator() | random.Random():
                return self._keep(value)
        try:
            spare = copy.deepcopy(value)
        except Exception as error:  # a class is free in what its copying raises
            raise TypeError(f"{within!r} (a {type(value).__name__})") from error
        return partial(_same, value) if spare is value else partial(_renew, value, spare)


def _recursive(value: Any) -> bool:
    return isinstance(value, dict | list | deque | tuple)


def _writable(tensor: Tensor) -> Tensor:
    """The part of a tensor that is its own memory: an expanded one repeats the same numbers."""
    if tensor.layout is not torch.strided or 0 not in tensor.stride():
        return tensor
    places = tuple(slice(0, 1) if step == 0 else slice(None) for step in tensor.stride())
    return tensor.detach()[places]


# What puts things back. Each returns the value, so that what holds it can hold it again.


def _same(value: Any) -> Any:
    return value


def _move_back(tensor: Tensor, alias: Tensor) -> None:
    """Give a tensor its own memory again where `tensor.data = ...` has given it another."""
    if tensor.data_ptr() != alias.data_ptr() or tensor.shape != alias.shape or tensor.dtype != alias.dtype:
        tensor.data = alias


def _put_gradient(parameter: nn.Parameter, required: bool, gradient: Tensor | None) -> nn.Parameter:
    if parameter.requires_grad != required:
        parameter.requires_grad_(required)
    if parameter.grad is not gradient:
        parameter.grad = gradient
    return parameter


def _update(values: dict[Any, Any], kept: dict[Any, PutBack]) -> dict[Any, Any]:
    before = {key: put_back() for key, put_back in kept.items()}
    if not (_identical(values, before) and _identical(values.values(), before.values())):
        values.clear()
        values.update(before)
    return values


def _fill(values: Any, kept: list[PutBack]) -> Any:
    before = [put_back() for put_back in kept]
    if not _identical(values, before):
        values.clear()
        values.extend(before)
    return values


def _each(values: Any, kept: list[PutBack]) -> Any:
    for put_back in kept:
        put_back()
    return values


def _refill(values: set[Any], before: frozenset[Any]) -> set[Any]:
    values.clear()
    values |= before
    return values


def _assign(array: Any, before: Any) -> Any:
    array[...] = before
    return array


def _set_attributes(own: dict[str, Any], kept: dict[str, PutBack], without: frozenset[str]) -> None:
    before = {name: put_back() for name, put_back in kept.items()}
    for name in [name for name in own if name not in before and name not in without]:
        del own[name]
    for name, value in before.items():
        if own.get(name, own) is not value:
            own[name] = value


def _generator(generator: Any) -> PutBack:
    match generator:
        case torch.Generator():
            state = generator.get_state()
            return partial(_set_state, generator.set_state, state, generator)
        case random.Random():
            numbers = generator.getstate()
            return partial(_set_state, generator.setstate, numbers, generator)
        case np.random.RandomState():
            words = generator.get_state(legacy=False)
            return partial(_set_state, generator.set_state, words, generator)
        case _:
            bits = generator.bit_generator
            bit_state = copy.deepcopy(bits.state)
            return partial(_set_bits, generator, bits, bit_state)


def _set_state(setter: Callable[[Any], object], state: Any, generator: Any) -> Any:
    setter(state)
    return generator


def _set_bits(generator: Any, bits: Any, state: Any) -> Any:
    bits.state = state
    return generator


def _renew(value: Any, spare: Any) -> Any:
    again = copy.deepcopy(spare)
    if not hasattr(value, "__dict__"):
        return again
    vars(value).clear()
    vars(value).update(vars(again))
    return value


def _identical(ones: Iterable[Any], others: Collection[Any]) -> bool:
    ones = list(ones)
    return len(ones) == len(others) and all(one is other for one, other in zip(ones, others, strict=True))
