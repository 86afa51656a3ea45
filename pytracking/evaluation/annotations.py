"""The data set `annotations`: a folder of `<seq>.txt` ground truths without images, to evaluate saved results by."""

from __future__ import annotations

from pathlib import Path

from ltr.admin.errors import UserError
from ltr.data.box_text import read_table
from ltr.data.files import natural_key
from pytracking.evaluation.data import DEFAULT_PROTOCOL, BaseDataset, Sequence, SequenceList
from pytracking.evaluation.diskdataset import dataset_root


class AnnotationDataset(BaseDataset):
    """Sequences by their ground truth alone; they can be evaluated, not run.

    Each file holds one row of x, y, w, h (image px) a frame. All rows count, also before the first that is usable:
    results must have as many.

    Args:
        root: the folder of the files, or a list of some of them; by default the environment's `annotations_path`.
        name: name of the data set in messages.
        protocol: the evaluation protocol that belongs to it; most need another, by `--protocol`.

    Raises:
        UserError: `root` is not known or not there.
    """

    has_images = False

    def __init__(self, root: str | Path | None = None, name: str = 'annotations',
                 protocol: str = DEFAULT_PROTOCOL) -> None:
        self.name, self.protocol = name, protocol
        self.root, self.listed = dataset_root(name, root)

    def get_sequence_list(self) -> SequenceList:
        """All sequences in natural order of the names.

        Raises:
            UserError: no file, one without rows, or one that holds something else.
        """
        files = {path.stem: path for path in self.root.glob('*.txt') if not path.name.startswith('.')}
        names = sorted(files if self.listed is None else self.listed, key=natural_key)
        missing = [name for name in names if name not in files]
        if missing or not names:
            raise UserError(f'{self.root} has no {missing[0]}.txt' if missing else
                            f'no ground truth in {self.root}: one <seq>.txt a sequence is expected')
        return SequenceList([self._read(name, files[name]) for name in names], self.protocol)

    def _read(self, name: str, path: Path) -> Sequence:
        boxes = read_table(path, 4)
        if not len(boxes):
            raise UserError(f'{path} has no rows')
        # What stands for the frames is read by nobody who only evaluates, and explains itself to whoever tries.
        return Sequence(name, [f'(the data set {self.name} has no images) {name}'] * len(boxes), self.name, boxes)
