"""The frames of the page in a browser, hostile names, small screens, and keys."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pytracking.analysis.extract_results import extract_results
from pytracking.analysis.frames import frame_overlaps
from pytracking.analysis.summary import Analysis
from pytracking.evaluation import get_dataset
from tests.evaluation.analysed import make_analysis, make_sequences, save_tracker
from tests.evaluation.browser.conftest import DESKTOP
from tests.evaluation.conftest import write_sequence

pytestmark = pytest.mark.slow
PHONE = {'viewport': {'width': 390, 'height': 844}, 'color_scheme': 'dark', 'is_mobile': True, 'has_touch': True}
HOSTILE = ('<script>window.hacked = 1</script>', '"><img src=x onerror="window.hacked = 1">')
WIDTH_OF = """address => new Promise((tell) => {
    const image = new Image();
    image.onload = () => tell(image.naturalWidth);
    image.src = address;
})"""


@pytest.fixture(scope='module')
def analysis(tmp_path_factory) -> Analysis:
    return make_analysis(tmp_path_factory.mktemp('results'))


@pytest.fixture
def pictured(tmp_path) -> Analysis:
    """One sequence of pictures of 64 x 24 px, in a folder whose name needs quoting; one tracker is off at the end."""
    boxes = np.array([[5.0 + i, 6, 4, 3] for i in range(12)])
    write_sequence(tmp_path / 'data' / 'a #1% b', boxes.tolist(), width=64)
    sequences = get_dataset('folder', root=tmp_path / 'data')
    trackers = [save_tracker(tmp_path / name, sequences, noise, 0) for name, noise in (('near', 0.1), ('off', 0.1))]
    moved = boxes + np.where(np.arange(12) >= 8, 40, 0)[:, None] * [1, 0, 0, 0]
    np.savetxt(tmp_path / 'off' / f'{sequences[0].name}.txt', moved, delimiter='\t')
    return Analysis('pictured', sequences, extract_results(trackers, sequences))


def drawn(page, kind: str) -> list[float]:
    return [float(page.locator(f'.picture rect.{kind}').get_attribute(name)) for name in ('x', 'y', 'width', 'height')]


def test_frames_with_boxes_step_by_keys_clicks_and_losses(pictured, open_page):
    page = open_page(pictured).page
    picture = page.locator('.picture')
    truth = pictured.sequences[0].ground_truth_rect
    page.wait_for_selector('.picture[data-frame="0"]')
    assert picture.get_attribute('viewBox') == '0.00 0.00 64.00 24.00'
    address = page.locator('.picture image').get_attribute('href')
    assert address == 'data/a%20%231%25%20b/img/0001.png'
    assert page.evaluate(WIDTH_OF, address) == 64
    assert drawn(page, 'truth') == pytest.approx(truth[0].tolist(), abs=0.06)
    picture.focus()
    for key, frame in (('ArrowRight', 1), ('ArrowRight', 2), ('Shift+ArrowRight', 11), ('ArrowLeft', 10), ('Home', 0),
                       ('End', 11)):
        page.keyboard.press(key)
        page.wait_for_selector(f'.picture[data-frame="{frame}"]')
        assert page.locator('.picture image').get_attribute('href').endswith(f'/{frame + 1:04d}.png')
        assert drawn(page, 'truth') == pytest.approx(truth[frame].tolist(), abs=0.06)
    assert page.locator('.frame-count').inner_text() == '12 / 12'
    page.get_by_role('button', name='Next frame in which off').click()
    page.wait_for_selector('.picture[data-frame="8"]')
    assert page.get_by_role('button', name='Next frame in which near').is_disabled()
    overlap = frame_overlaps(pictured.results[0].boxes['a #1% b'], pictured.sequences[0], 'lsotb')[8]
    assert float(page.locator('.boxes li').nth(1).locator('b').inner_text()) == pytest.approx(overlap, abs=0.01)
    page.locator('.controls input').fill('4')
    page.wait_for_selector('.picture[data-frame="3"]')
    time = page.locator('svg.time')
    time.scroll_into_view_if_needed()
    box = time.bounding_box()
    page.mouse.click(box['x'] + 40 + 5 / 11 * (box['width'] - 52), box['y'] + 50)
    page.wait_for_selector('.picture[data-frame="5"]')
    assert time.get_attribute('aria-valuenow') == '6' and 'off 1.00' in time.get_attribute('aria-valuetext')
    assert page.locator('#timeline .tip strong').inner_text() == 'frame 6'
    picture.focus()
    page.keyboard.press('z')
    page.locator('.picture:not([viewBox="0.00 0.00 64.00 24.00"])').wait_for()
    page.keyboard.press(' ')
    page.wait_for_selector('.picture[data-frame="11"]')


def test_embedded_pictures_and_pictures_that_are_gone(pictured, open_page):
    page = open_page(pictured, embed=4, name='embedded.html').page
    page.wait_for_selector('.picture[data-frame="0"]')
    assert page.locator('.picture image').get_attribute('href').startswith('data:image/jpeg')
    page.locator('.picture').focus()
    page.keyboard.press('ArrowRight')
    page.wait_for_selector('.picture[data-frame="1"]')
    assert 'not among the embedded' in page.locator('.message').inner_text()
    assert page.locator('.picture image').get_attribute('href') is None
    opened = open_page(pictured, name='linked.html')
    opened.page.wait_for_selector('.picture[data-frame="0"]')
    for path in Path(pictured.sequences[0].frames[0]).parent.glob('*5.png'):
        path.unlink()
    opened.page.locator('.controls input').fill('5')
    opened.page.wait_for_selector('.picture[data-frame="4"]')
    assert 'No image at' in opened.page.locator('.message').inner_text()
    assert drawn(opened.page, 'truth')[0] == pytest.approx(9, abs=0.06)
    assert all('ERR_FILE_NOT_FOUND' in line for line in opened.wrong)  # the browser's own word about the missing file
    opened.wrong.clear()


def test_hostile_names_are_shown_as_text(tmp_path, open_page):
    sequences = make_sequences(names=('a', 'b'))
    trackers = [save_tracker(tmp_path / name, sequences, noise, 0) for name, noise in (('x', 1.0), ('y', 4.0))]
    results = extract_results(trackers, sequences)
    for sequence, name in zip(sequences, HOSTILE, strict=True):
        sequence.attributes = frozenset(HOSTILE)
        sequence.name = name
    made = [replace(item, label=f'{HOSTILE[0]}{i}', result=replace(item.result, sequences=HOSTILE),
                    boxes=dict(zip(HOSTILE, item.boxes.values(), strict=True))) for i, item in enumerate(results)]
    opened = open_page(Analysis(HOSTILE[1], sequences, made))
    page = opened.page
    assert set(opened.column('#sequence-table', 1)) == set(HOSTILE)
    assert page.title().startswith(HOSTILE[1])
    page.locator('#attribute-table button', has_text='onerror').last.click()
    page.locator('#sequence-table tbody button').first.click()
    page.locator('#charts svg.lines').first.hover()
    assert page.evaluate('window.hacked') is None and page.locator('img').count() == 0


def test_the_policy_stops_what_is_not_the_page_s_own(analysis, open_page):
    opened = open_page(analysis)
    opened.page.evaluate("""() => {
        const script = document.createElement('script');
        script.textContent = 'window.hacked = 1';
        document.body.append(script);
        return fetch('data:text/plain,x').then(() => { window.hacked = 2; }, () => {});
    }""")
    assert opened.page.evaluate('window.hacked') is None
    assert opened.wrong and all('Content Security Policy' in line for line in opened.wrong)
    opened.wrong.clear()


@pytest.mark.parametrize('options', [DESKTOP, PHONE], ids=['desktop', 'phone'])
def test_it_fits_the_screen(analysis, open_page, tmp_path, options):
    page = open_page(analysis, **options).page
    assert page.evaluate('document.documentElement.scrollWidth - innerWidth') <= 0
    small = page.evaluate("""() => [...document.querySelectorAll('button:not(.link), select, input')]
        .filter((node) => node.offsetParent && node.type !== 'checkbox' && node.getBoundingClientRect().height < 24)
        .map((node) => node.outerHTML)""")
    assert small == []  # WCAG 2.2, 2.5.8: targets of 24 px
    page.screenshot(path=str(tmp_path / 'page.png'), full_page=True)
    assert (tmp_path / 'page.png').stat().st_size > 20_000


def test_everything_can_be_reached_by_keys(analysis, open_page):
    page = open_page(analysis).page
    seen = set()
    for _ in range(80):
        page.keyboard.press('Tab')
        seen.add(page.evaluate('document.activeElement.closest("[id]")?.id'))
    assert {'filter', 'tracker-table', 'legend', 'charts', 'attribute-table', 'search', 'sequence-table', 'pick',
            'timeline', 'stage'} <= seen
    page.locator('#sequence-table tbody button', has_text='c').first.focus()
    page.keyboard.press('Enter')
    assert page.locator('#pick option:checked').inner_text() == 'c'
    assert page.evaluate('document.activeElement.classList.contains("picture")')
    page.keyboard.press('ArrowRight')
    page.wait_for_selector('.picture[data-frame="1"]')
