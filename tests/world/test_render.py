"""The generated world: deterministic, aligned, honestly boxed, and thermal by temperature, not by colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cmd_plugin.world import Clip, render
from cmd_plugin.world.actors import Actor
from cmd_plugin.world.cast import CASTS
from cmd_plugin.world.layouts import LAYOUTS
from cmd_plugin.world.optics import ThermalCamera, draw_sensor
from cmd_plugin.world.plan import LEAST_VISIBLE, LEAST_VISIBLE_FIRST, World, plan_world, stream
from cmd_plugin.world.render import film, paint, silhouette
from cmd_plugin.world.thermal import draw_climate, known_parts

SIZE = (160, 120)
WORLDS = 24


def planned(index: int, length: int = 6) -> World:
    return plan_world(stream(3, 'test', index), length, SIZE)


@pytest.fixture(scope='module')
def worlds() -> list[World]:
    """Worlds to look at, not to change."""
    return [planned(index) for index in range(WORLDS)]


def same(a: Clip, b: Clip) -> bool:
    keys = ('rgb', 'tir', 'boxes', 'visible')
    arrays = all(np.array_equal(getattr(a, key), getattr(b, key)) for key in keys)
    return arrays and (a.name, a.attributes) == (b.name, b.attributes)


def test_shapes_and_types() -> None:
    clip = render(0, 4, SIZE, index=7)
    assert clip.rgb.shape == (4, 120, 160, 3) and clip.rgb.dtype == np.uint8
    assert clip.tir.shape == (4, 120, 160) and clip.tir.dtype == np.uint8
    assert clip.boxes.shape == (4, 4) and clip.boxes.dtype == np.float64
    assert clip.visible.shape == (4,)
    assert clip.name == f'{clip.kind}_007'


def test_same_arguments_same_bits() -> None:
    assert same(render(5, 5, SIZE), render(5, 5, SIZE))


@pytest.mark.parametrize('other', [{'seed': 6}, {'index': 1}, {'purpose': 'video'}])
def test_other_arguments_other_world(other: dict) -> None:
    base = {'seed': 5, 'index': 0, 'purpose': 'clip'}
    a, b = (render(**kind, length=3, size=SIZE) for kind in (base, base | other))
    assert not np.array_equal(a.tir, b.tir) and not np.array_equal(a.boxes, b.boxes)
    difference = np.abs(a.rgb.astype(int) - b.rgb.astype(int)).mean()
    assert difference > 8, 'another world, not the same one with other noise'


def test_global_random_state_is_neither_read_nor_changed() -> None:
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    a = render(5, 3, SIZE)
    assert np.array_equal(np.random.get_state()[1], before)
    np.random.seed(1)
    assert same(a, render(5, 3, SIZE))


def test_a_view_does_not_depend_on_the_other() -> None:
    both, rgb, tir = (render(5, 4, SIZE, views=v) for v in (('rgb', 'tir'), ('rgb',), ('tir',)))
    assert np.array_equal(both.rgb, rgb.rgb) and np.array_equal(both.tir, tir.tir)
    assert len(rgb.tir) == 0 and len(tir.rgb) == 0


@pytest.mark.parametrize(
    'arguments',
    [{'seed': -1}, {'length': 0}, {'size': (32, 200)}, {'views': ()}, {'views': ('depth',)}, {'index': -1}],
)
def test_bad_arguments(arguments: dict) -> None:
    with pytest.raises(ValueError):
        render(**({'seed': 0, 'length': 2, 'size': SIZE} | arguments))


def test_boxes_match_the_silhouette_and_lie_inside(worlds: list[World]) -> None:
    """Box edges against the coverage mask: a pixel the outline cuts is covered in part, so within 1.5 px."""
    thin = 0
    for index, world in enumerate(worlds):
        for t in range(6):
            x, y, w, h = world.target.box(t)
            assert x > 0 and y > 0 and x + w < SIZE[0] and y + h < SIZE[1]
            rows, columns = np.nonzero(silhouette(world, t) > 0.15)
            found = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
            error = np.abs(found - (x, y, x + w, y + h)).max()
            assert error < 4, (index, t, world.target.kind)
            thin += error > 1.5  # antlers, rotors and other points finer than a pixel
    assert thin < 0.05 * 6 * WORLDS


def test_size_scale_and_step_of_targets() -> None:
    steps = []
    for index in range(12):
        world = plan_world(stream(4, 'test', index), 30, (240, 180))
        scale = world.target.scale
        assert scale.max() / scale.min() < 1.65
        boxes = np.array([world.target.box(t) for t in range(30)])
        size = np.sqrt(boxes[:, 2] * boxes[:, 3])
        assert size.min() > 8 and size.max() < 75
        middle = boxes[:, :2] + boxes[:, 2:] / 2
        steps.append(np.linalg.norm(np.diff(middle, axis=0), axis=1) / size[1:])
    assert np.percentile(np.concatenate(steps), 98) < 0.25
    assert np.mean([s.mean() for s in steps]) > 0.02, 'targets move'


def test_daylight_takes_the_nights_out_and_changes_no_other_world() -> None:
    nights = 0
    for index in range(12):
        usual = render(6, 2, SIZE, index=index, views=('rgb',))
        light = render(6, 2, SIZE, index=index, views=('rgb',), daylight=True)
        assert 'night' not in light.attributes
        if 'night' in usual.attributes:
            nights += 1
            assert usual.rgb.mean() < light.rgb.mean()
        else:
            assert same(usual, light)
    assert nights > 0


def test_target_is_always_visible_and_sometimes_hidden(worlds: list[World]) -> None:
    for world in worlds:
        assert world.visible.min() >= LEAST_VISIBLE and world.visible[0] >= LEAST_VISIBLE_FIRST
        assert ('occlusion' in world.flags) == (world.visible.min() < 0.85)
    assert any('occlusion' in world.flags for world in worlds)


def test_visible_share_is_what_the_picture_shows() -> None:
    """Paint the target so hot that nothing else can be confused with it; measure what is left of it."""
    world = next(w for w in (planned(i) for i in range(200)) if w.visible.min() < 0.7)
    t = int(world.visible.argmin())
    hot = np.zeros_like(world.target.heat)
    hot[t] = 1e5
    for layer in world.others:
        if hasattr(layer, 'heat'):
            layer.heat = np.zeros_like(layer.heat)
    world.target.heat = hot
    shown = paint(world, t)[..., 3].astype(np.float64).sum()
    alone = paint(world, t, only_target=True)[..., 3].astype(np.float64).sum()
    assert shown / alone == pytest.approx(world.visible[t], abs=0.02)


def test_views_are_aligned() -> None:
    """The target changes the same pixels in the colours and in the temperatures."""
    for index in range(8):
        world = planned(index, 3)
        bare = replace(world, others=())
        mask = silhouette(world, 2)
        world.target.heat = np.full(3, 1e3)
        changed = paint(bare, 2, only_target=True)[..., 3] > 150
        assert np.array_equal(changed, mask > 0.15) or (changed ^ (mask > 0.15)).mean() < 0.002
        empty = paint(replace(bare, target=_moved_away(world)), 2, only_target=True)
        assert not np.abs(paint(bare, 2, only_target=True)[..., :3] - empty[..., :3])[mask == 0].any()


def _moved_away(world: World) -> Actor:
    away = replace(world.target)
    away.path = world.target.path + 1e4
    return away


def test_temperature_knows_no_colour() -> None:
    """Over many objects, colour and temperature of the target are uncorrelated."""
    grey, warm = [], []
    for index in range(50):
        world = plan_world(stream(8, 'test', index), 1, SIZE)
        patch = world.target.sprite.mips[0][0]
        means = patch.rgbt.sum(axis=(0, 1)) / patch.alpha.sum()
        grey.append(means[:3].mean())
        warm.append(means[3] - world.climate.air)
    assert abs(np.corrcoef(grey, warm)[0, 1]) < 0.4  # 0.36 is the 99 % bound of chance


def test_polarity_turns_the_picture_round() -> None:
    world = planned(1)
    field = paint(world, 0)[..., 3].copy()
    shots = []
    for black_hot in (False, True):
        sensor = draw_sensor(np.random.default_rng(0), field.shape, 1.0, black_hot)
        shots.append(ThermalCamera(sensor, np.random.default_rng(1)).shoot(field))
    assert np.array_equal(shots[0], 255 - shots[1])
    sensor = replace(sensor, black_hot=False, noise=0.0, fixed=np.zeros_like(sensor.fixed), halo=0.0)
    white = ThermalCamera(sensor, np.random.default_rng(1)).shoot(field)
    assert np.corrcoef(field.ravel(), white.ravel())[0, 1] > 0.6, 'white-hot: hot is bright'


def test_gain_uses_the_range_and_spares_flat_scenes() -> None:
    rng = np.random.default_rng(0)
    sensor = draw_sensor(rng, (120, 160), 1.0, False)
    sensor = replace(sensor, plateau=0.0, output=(0.0, 255.0), least_span=6.0)
    ramp = np.tile(np.linspace(0, 40, 160, dtype=np.float32), (120, 1))
    shot = ThermalCamera(sensor, rng).shoot(ramp)
    assert shot.min() == 0 and shot.max() == 255
    calm = replace(sensor, noise=0.0, fixed=np.zeros_like(sensor.fixed))
    flat = ThermalCamera(calm, rng).shoot(ramp / 40)
    assert int(flat.max()) - int(flat.min()) < 255 / 5


def test_night_is_dark_in_colour_and_not_in_thermal(worlds: list[World]) -> None:
    levels: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for index, world in enumerate(worlds):
        rgb, tir = film(world, stream(3, 'test', index), [0])
        levels['night' in world.flags].append((rgb.mean(), tir.std()))
    night, day = (np.mean(levels[key], axis=0) for key in (True, False))
    assert night[0] < 0.6 * day[0]
    assert 0.6 < night[1] / day[1] < 1.6


def test_crossover_passes_through_the_surroundings() -> None:
    world = next(
        w for w in (plan_world(stream(1, 'test', i), 20, SIZE) for i in range(60)) if 'crossover' in w.flags
    )
    patch = world.target.sprite.mips[0][0]
    own = patch.rgbt[..., 3].sum() / patch.alpha.sum() + world.target.heat
    around = []
    for t in range(20):
        x, y, w, h = world.target.box(t).round().astype(int)
        around.append(
            np.median(paint(replace(world, others=()), t, only_target=True)[y : y + h, x : x + w, 3])
        )
    assert own[0] != pytest.approx(own[-1], abs=0.5)
    assert np.abs(own - around).min() < 2.5


def test_every_layout_and_part_is_known(rng: np.random.Generator) -> None:
    assert set(CASTS) == set(LAYOUTS)
    climate = draw_climate(rng, night=False)
    for cast in CASTS.values():
        for maker, _ in cast:
            for _ in range(12):
                figure = maker(rng)
                assert {p.name for pose in figure.poses for p in pose} <= known_parts()
    assert climate.day


def test_worlds_are_diverse(worlds: list[World]) -> None:
    assert len({world.target.kind for world in worlds}) >= 6
    assert len({world.backdrop.kind for world in worlds}) >= 4
    for flag in ('night', 'black_hot', 'crossover', 'distractor'):
        assert 0 < sum(flag in world.flags for world in worlds) < WORLDS
