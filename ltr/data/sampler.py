"""Samplers: which frames of which sequence make the next training sample."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch.utils.data

from ltr.admin.errors import UserError
from ltr.data.bad_frames import BadFrameCounter
from ltr.data.frame_draws import MODES, draw_frames, runs
from ltr.data.image_loader import BadFrameError
from ltr.tensors import TensorDict

if TYPE_CHECKING:
    from ltr.dataset.base import BaseDataset

MIN_LENGTH = 20
MAX_REJECTED = 100


def no_processing(data: TensorDict) -> TensorDict:
    """The sample as it was drawn."""
    return data


class TrackingSampler(torch.utils.data.Dataset):
    """Endless random samples of train and test frames of one target ("DiMP", Sec. 3.5).

    A data set is drawn with its probability, then a sequence uniformly among the usable ones: of at least
    `min_length` frames, more than 2 (num_train_frames + num_test_frames) of them visible. Image data sets
    give the same frame for all. The frames are drawn by `draw_frames`. The index of a sample does not matter:
    randomness comes from `random` and, in the processing, `torch`; seed both.

    A sample is a `TensorDict` with lists `train_images, test_images` (uint8 (H, W, C)), `train_anno,
    test_anno` (boxes `xywh` (4,), image px), and `dataset` (name), `test_class` (class name or None), `files` (paths,
    one a line); then `processing`. Where a frame is unreadable or its box lies outside the image, another sample is
    drawn (`bad_frames` counts).

    Args:
        datasets: labelled data sets.
        p_datasets: their weights, any positive sum; None: proportional to their number of sequences.
        samples_per_epoch: length of an epoch.
        max_gap: greatest distance of frames to the base frame, before widening.
        num_test_frames: number of test frames.
        num_train_frames: number of train (reference) frames, at least 1.
        processing: `TensorDict -> TensorDict`.
        frame_sample_mode: 'causal' (test frames follow the train frames), 'interval', or 'consecutive' (test frames
            follow one another, and the first of them is also the first train frame).
        min_length: least number of frames of a usable sequence; lower it for sets of short clips.

    Raises:
        UserError: no data sets; when drawing: a data set without a usable sequence, or mostly bad frames.
    """

    def __init__(self, datasets: Sequence[BaseDataset], p_datasets: Sequence[float] | None,
                 samples_per_epoch: int, max_gap: int, num_test_frames: int, num_train_frames: int = 1,
                 processing: Callable[[TensorDict], TensorDict] = no_processing,
                 frame_sample_mode: str = 'causal', min_length: int = MIN_LENGTH) -> None:
        if not datasets:
            raise UserError('no training data sets were given')
        if frame_sample_mode not in MODES:
            raise ValueError(f'frame_sample_mode {frame_sample_mode!r} is none of {MODES}')
        if num_train_frames < 1 or num_test_frames < 0:
            raise ValueError('a sample needs at least one train frame, and not less than no test frames')
        weights = [len(dataset) for dataset in datasets] if p_datasets is None else list(p_datasets)
        if len(weights) != len(datasets) or min(weights) < 0 or sum(weights) <= 0:
            raise ValueError(f'p_datasets {weights} do not fit {len(datasets)} data sets')
        self.datasets, self.p_datasets = list(datasets), [weight / sum(weights) for weight in weights]
        self.samples_per_epoch, self.max_gap, self.min_length = samples_per_epoch, max_gap, min_length
        self.num_train_frames, self.num_test_frames = num_train_frames, num_test_frames
        self.processing, self.frame_sample_mode = processing, frame_sample_mode
        self.bad_frames = BadFrameCounter()
        self._usable: dict[tuple[int, int], bool] = {}

    def __len__(self) -> int:
        return self.samples_per_epoch

    def __getitem__(self, index: int) -> TensorDict:
        while True:
            try:
                data = self._draw()
            except BadFrameError as error:
                self.bad_frames.bad(error)
                continue
            self.bad_frames.good()
            return self.processing(data)

    def _draw(self) -> TensorDict:
        which = random.choices(range(len(self.datasets)), self.p_datasets)[0]
        dataset = self.datasets[which]
        seq_id, info = self._draw_sequence(which)
        if dataset.is_video_sequence():
            train_ids, test_ids = draw_frames(info['visible'].tolist(), self.num_train_frames,
                                              self.num_test_frames, self.max_gap, self.frame_sample_mode)
        else:
            train_ids, test_ids = [1] * self.num_train_frames, [1] * self.num_test_frames
        train_frames, train_anno, train_meta = dataset.get_frames(seq_id, train_ids, info)
        test_frames, test_anno, meta = dataset.get_frames(seq_id, test_ids, info)
        files = [*train_meta.get('files', ()), *meta.get('files', ())]
        return TensorDict(train_images=train_frames, train_anno=train_anno['bbox'], test_images=test_frames,
                          test_anno=test_anno['bbox'], dataset=dataset.get_name(),
                          test_class=meta.get('object_class_name'), files='\n'.join(dict.fromkeys(files)))

    def _draw_sequence(self, which: int) -> tuple[int, Mapping[str, Any]]:
        """A usable sequence, uniformly, and its info."""
        dataset = self.datasets[which]
        number = dataset.get_num_sequences()
        for _ in range(MAX_REJECTED if number else 0):
            seq_id = random.randrange(number)
            if self._is_usable(which, seq_id):
                return seq_id, dataset.get_sequence_info(seq_id)
        # Usable sequences are rare or absent: draw among them. The draws before are never left out, whatever is known
        # already, so that a resumed run draws as one that was not interrupted.
        usable = [seq_id for seq_id in range(number) if self._is_usable(which, seq_id)]
        if not usable:
            raise UserError(self._nothing_usable(dataset))
        seq_id = random.choice(usable)
        return seq_id, dataset.get_sequence_info(seq_id)

    def _is_usable(self, which: int, seq_id: int) -> bool:
        """Whether a sequence has frames enough; found out once."""
        if (which, seq_id) not in self._usable:
            dataset = self.datasets[which]
            usable = True
            if dataset.is_video_sequence():
                visible = dataset.get_sequence_info(seq_id)['visible']
                usable = len(visible) >= self.min_length and self._shows_enough(visible.tolist())
            self._usable[which, seq_id] = usable
        return self._usable[which, seq_id]

    def _shows_enough(self, visible: Sequence[bool]) -> bool:
        if self.frame_sample_mode == 'consecutive':
            return bool(runs(visible, self.num_test_frames))
        return sum(visible) > self._visible_floor()

    def _visible_floor(self) -> int:
        return 2 * (self.num_train_frames + self.num_test_frames)

    def _nothing_usable(self, dataset: BaseDataset) -> str:
        needed = (f'{self.num_test_frames} visible one after another' if self.frame_sample_mode == 'consecutive'
                  else f'more than {self._visible_floor()} visible')
        return (f'data set {dataset.get_name()}: none of its {dataset.get_num_sequences()} sequences has '
                f'{self.min_length} frames or more (min_length), of them {needed}')


class DiMPSampler(TrackingSampler):
    """The sampler of DiMP: `TrackingSampler` with its defaults."""


class ATOMSampler(TrackingSampler):
    """The sampler of ATOM: one train and one test frame, in either order of time. Arguments as above."""

    def __init__(self, datasets: Sequence[BaseDataset], p_datasets: Sequence[float] | None,
                 samples_per_epoch: int, max_gap: int, num_test_frames: int = 1, num_train_frames: int = 1,
                 processing: Callable[[TensorDict], TensorDict] = no_processing,
                 frame_sample_mode: str = 'interval', min_length: int = MIN_LENGTH) -> None:
        super().__init__(datasets, p_datasets, samples_per_epoch, max_gap, num_test_frames, num_train_frames,
                         processing, frame_sample_mode, min_length)
