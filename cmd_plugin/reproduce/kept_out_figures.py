"""Does the parent track? Its Success on kept-out RGB beside a static box, classic trackers and a template."""

from __future__ import annotations

from cmd_plugin.reproduce.baselines import CLASSIC, classic, with_opencv, with_template
from cmd_plugin.reproduce.evaluation import static_boxes
from cmd_plugin.reproduce.parent import kept_out_sequences
from cmd_plugin.reproduce.places import Data, Work, write_json
from cmd_plugin.reproduce.sizes import Size
from cmd_plugin.reproduce.tracking import Figures, FileTracker, figures, figures_of, track


def compare(data: Data, work: Work, size: Size, device: str | None) -> None:
    """Write the figures of all of them, and which classic trackers this OpenCV lacks."""
    sequences = kept_out_sequences(data, size)
    tracker = FileTracker('parent', work.parent, size.crop, work.tracking / 'kept_out', device)
    track([tracker], sequences, size.threads)
    found: dict[str, Figures] = {'parent': figures(tracker, sequences),
                                 'static box': figures_of(static_boxes(sequences), sequences),
                                 'template': figures_of({s.name: with_template(s) for s in sequences}, sequences)}
    makers = classic()
    for name, make in makers.items():
        found[name] = figures_of({s.name: with_opencv(make, s) for s in sequences}, sequences)
    missing = [name for name in CLASSIC if name not in makers]
    if missing:
        print(f'this OpenCV has no {" and no ".join(missing)}: the template stands alone')
    write_json(work.kept_out, {'figures': found, 'missing': missing})
