"""Evaluation data sets by name.

They come from the entry-point group `pytracking.datasets`, whose values are callables
`make(root: Path | None) -> BaseDataset`, and from entries that a program sets in `dataset_dict` itself.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple

from ltr.admin import plugins
from ltr.admin.errors import UserError
from pytracking.evaluation.data import DEFAULT_PROTOCOL, BaseDataset, SequenceList

GROUP = 'pytracking.datasets'


class DatasetInfo(NamedTuple):
    """How a data set is made: `getattr(import_module(module), class_name)(**kwargs)`."""

    module: str
    class_name: str
    kwargs: dict[str, Any]


class DatasetDict(MutableMapping[str, DatasetInfo]):
    """Name -> DatasetInfo: the registered entry points, and what was set by hand."""

    def __init__(self) -> None:
        self._own: dict[str, DatasetInfo] = {}

    def __getitem__(self, name: str) -> DatasetInfo:
        if name in self._own:
            return self._own[name]
        if name not in plugins.names(GROUP):
            raise KeyError(name)
        entry = plugins.find(GROUP, name)
        return DatasetInfo(entry.module, entry.attr, {})

    def __setitem__(self, name: str, info: DatasetInfo) -> None:
        if name in plugins.names(GROUP):
            raise UserError(f'the data set {name!r} is registered already: choose another name')
        self._own[name] = DatasetInfo(*info)

    def __delitem__(self, name: str) -> None:
        del self._own[name]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._own, *plugins.names(GROUP)}))

    def __len__(self) -> int:
        return len({*self._own, *plugins.names(GROUP)})


dataset_dict = DatasetDict()


def load_dataset(name: str, root: str | Path | None = None) -> BaseDataset:
    """The data set `name`, not yet read.

    Args:
        name: a key of `dataset_dict`.
        root: the set's folder; by default the environment's setting. Sets that were entered by hand get it
            only when it is given.

    Raises:
        UserError: no such data set (near names are given), or its folder is not known or not there.
    """
    if name not in dataset_dict:
        raise UserError(plugins.unknown('data set', name, list(dataset_dict)))
    folder = None if root is None else Path(root)
    info = dataset_dict[name]
    make = getattr(importlib.import_module(info.module), info.class_name)
    if name in plugins.names(GROUP):
        dataset = make(folder)
    else:
        dataset = make(**info.kwargs) if folder is None else make(root=folder, **info.kwargs)
    if not isinstance(make, type) and hasattr(make, 'protocol'):
        dataset.protocol = make.protocol
    return dataset


def get_dataset(*names: str, root: str | Path | None = None) -> SequenceList:
    """The sequences of one or several data sets, in the order of the names.

    Args:
        names: keys of `dataset_dict`.
        root: folder of the data set, when there is one name.

    Raises:
        UserError: as `load_dataset`; or the sets have different protocols or share a sequence name.
    """
    parts, protocols = SequenceList(), set()
    for name in names:
        dataset = load_dataset(name, root)
        sequences = dataset.get_sequence_list()
        protocols.add(getattr(dataset, 'protocol', DEFAULT_PROTOCOL))
        parts += sequences
    if len(protocols) > 1:
        raise UserError(f'{", ".join(names)} are evaluated by different protocols '
                        f'({", ".join(sorted(protocols))}): run them one by one')
    seen: set[str] = set()
    for sequence in parts:
        if sequence.name in seen:
            raise UserError(f'the sequence name {sequence.name!r} occurs twice in {", ".join(names)}')
        seen.add(sequence.name)
    return SequenceList(parts, protocols.pop() if protocols else DEFAULT_PROTOCOL)
