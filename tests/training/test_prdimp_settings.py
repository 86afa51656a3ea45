"""The stock settings of PrDiMP and SuperDiMP, and their actor."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from ltr import run_training
from ltr.actors import KLDiMPActor
from ltr.admin.loading import load_network
from ltr.admin.settings import Settings
from ltr.models.loss.kl_regression import KLRegression, KLRegressionGrid
from ltr.models.loss.target_classification import LBHinge
from ltr.models.tracking.dimpnet import dimpnet50, klcedimpnet18, klcedimpnet50
from ltr.train_settings.dimp import _common, _kl, prdimp18, prdimp50, super_dimp

RATES = {18: [5e-5, 5e-4, 5e-5, 1e-3, 2e-4], 50: [5e-5, 5e-4, 5e-5, 2e-4, 2e-5]}


@pytest.mark.parametrize(('recipe', 'make', 'layers'), [
    (prdimp18.RECIPE, klcedimpnet18, 18), (prdimp50.RECIPE, klcedimpnet50, 50), (super_dimp.RECIPE, dimpnet50, 50)])
def test_recipe(recipe, make, layers):
    assert recipe.network is make
    net = make(backbone_pretrained=False, **recipe.options)
    groups = _common.parameter_groups(net, recipe, 1.0)
    assert [group['lr'] for group in groups] == RATES[layers]
    grouped = [id(weight) for group in groups for weight in group['params']]
    assert sorted(grouped) == sorted(id(weight) for weight in net.parameters())


@pytest.mark.parametrize(('recipe', 'sigma'), [(prdimp18.RECIPE, 0.9), (prdimp50.RECIPE, 22 / 24)])
def test_the_filter_learns_the_label_that_it_is_judged_by(recipe, sigma):
    """The label inside the network and that of the loss have one spread, in score cells."""
    assert recipe.options['gauss_sigma'] == pytest.approx(sigma)
    assert recipe.label_sigma * recipe.feature_sz == pytest.approx(sigma)
    optimizer = recipe.network(backbone_pretrained=False, **recipe.options).classifier.filter_optimizer
    side = recipe.output_sz
    box = torch.tensor([0.4 * side, 0.5 * side, 60, 44])
    centre = (box[:2] + box[2:] / 2).flip(0) / 16
    inside = optimizer.label(centre, (recipe.feature_sz + 1,) * 2)
    torch.testing.assert_close(_kl.prdimp_processing(recipe).label_density(box), inside, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(('recipe', 'make', 'label', 'side', 'cells'), [
    (prdimp18.RECIPE, _kl.prdimp_processing, 'test_label_density', 288, 19),
    (prdimp50.RECIPE, _kl.prdimp_processing, 'test_label_density', 352, 23),
    (super_dimp.RECIPE, _kl.super_dimp_processing, 'test_label', 352, 23)])
def test_batches_of_the_loader(videos, recipe, make, label, side, cells):
    settings = Settings()
    settings.data, settings.samples, settings.batch, settings.workers = [videos], 2, 2, 0
    batch = next(iter(_common.training_loader(settings, recipe, make)))
    assert batch['train_images'].shape == batch['test_images'].shape == (3, 2, 3, side, side)
    assert batch[label].shape == (3, 2, cells, cells) and batch['test_proposals'].shape == (3, 2, 128, 4)
    assert batch['proposal_density'].shape == batch['gt_density'].shape == (3, 2, 128)
    assert (batch['proposal_density'] > 0).all()


def test_super_dimp_mirrors_whole_samples_and_single_crops():
    transform = _kl.super_dimp_processing(super_dimp.RECIPE).transform
    plain = _kl.prdimp_processing(prdimp50.RECIPE).transform
    for name in ('train', 'test', 'joint'):
        mirrors, never = ([step.probability for step in part[name].transforms
                           if type(step).__name__ == 'RandomHorizontalFlip'] for part in (transform, plain))
        assert mirrors == [0.5] and never == [0.0]


class Fixed(nn.Module):
    """Stands in for the network: given outputs, through which gradient flows."""

    def __init__(self, scores: list[torch.Tensor], boxes: torch.Tensor) -> None:
        super().__init__()
        self.scores, self.boxes = nn.ParameterList(scores), nn.Parameter(boxes)

    def forward(self, **_):
        return list(self.scores), self.boxes


@pytest.fixture
def batch() -> tuple[Fixed, dict[str, torch.Tensor]]:
    """Two frames of two sequences; the second frame of the first does not show the target."""
    generator = torch.Generator().manual_seed(0)
    net = Fixed([torch.randn(2, 2, 5, 5, generator=generator) for _ in range(4)],
                torch.randn(2, 2, 7, generator=generator))
    anno = torch.tensor([10.0, 20, 30, 40]).repeat(2, 2, 1)
    anno[1, 0, :2] = 99999999.9
    data = {'train_images': None, 'test_images': None, 'train_anno': None, 'test_proposals': None, 'test_anno': anno,
            'proposal_density': torch.rand(2, 2, 7, generator=generator) + 0.1,
            'gt_density': torch.rand(2, 2, 7, generator=generator),
            'test_label': torch.rand(2, 2, 5, 5, generator=generator).round(),
            'test_label_density': torch.rand(2, 2, 5, 5, generator=generator) / 12}
    return net, data


@pytest.mark.parametrize('kind', ['test_density', 'test_clf'])
def test_actor_adds_the_weighted_losses(batch, kind):
    net, data = batch
    judge = KLRegressionGrid() if kind == 'test_density' else LBHinge(threshold=0.05)
    label = data['test_label_density' if kind == 'test_density' else 'test_label']
    actor = KLDiMPActor(net, {'box': KLRegression(), kind: judge},
                        {'box': 2.0, 'test_clf': 3.0, 'test_init_clf': 5.0, 'test_iter_clf': 7.0})
    loss, stats = actor(data)
    each = [judge(score, label) for score in net.scores]
    shown = [(0, 0), (0, 1), (1, 1)]
    box = sum(KLRegression()(net.boxes[i], data['proposal_density'][i], data['gt_density'][i]) for i in shown) / 3
    expected = 3 * each[3] + 5 * each[0] + 7 * (each[1] + each[2]) / 2 + 2 * box
    torch.testing.assert_close(loss, expected)
    assert stats['Loss/box'] == pytest.approx(2 * box.item(), rel=1e-5)
    assert stats['Loss/total'] == pytest.approx(loss.item()) and stats['Loss/test_init_clf'] == pytest.approx(
        5 * each[0].item())
    loss.backward()
    assert net.boxes.grad[1, 0].abs().max() == 0 < net.boxes.grad[1, 1].abs().max()


def test_actor_of_a_batch_without_any_target(batch):
    net, data = batch
    data['test_anno'] = torch.full((2, 2, 4), 1e8)
    loss, stats = KLDiMPActor(net, {'box': KLRegression(), 'test_density': KLRegressionGrid()})(data)
    loss.backward()
    assert loss.isfinite() and stats['Loss/box'] == 0 and not net.boxes.grad.any()


def test_actor_needs_one_kind_of_classification_loss(batch):
    with pytest.raises(ValueError, match='test_density'):
        KLDiMPActor(batch[0], {'box': KLRegression()})
    with pytest.raises(ValueError, match='not both'):
        KLDiMPActor(batch[0], {'box': KLRegression(), 'test_clf': LBHinge(), 'test_density': KLRegressionGrid()})


@pytest.mark.slow
@pytest.mark.parametrize(('name', 'backbone', 'constructor', 'keys'), [
    ('prdimp18', torchvision.models.resnet18, 'klcedimpnet18', 218),
    ('super_dimp', torchvision.models.resnet50, 'dimpnet50', 407)])
def test_two_steps(videos, tmp_path, name, backbone, constructor, keys):
    """From a bare backbone to a checkpoint from which the network is rebuilt, every trained part changed."""
    torch.save(backbone().state_dict(), tmp_path / 'resnet.pth')
    run_training.main(['dimp', name, '--data', str(videos), '--init', str(tmp_path / 'resnet.pth'), '--epochs', '1',
                       '--samples', '4', '--batch', '2', '--workers', '0', '--device', 'cpu',
                       '--workspace', str(tmp_path / 'w')])
    net, contents = load_network(tmp_path / 'w' / 'checkpoints' / 'ltr' / 'dimp' / name)
    assert len(contents['net']) == keys and contents['constructor'].fun_name == constructor
    assert contents['constructor'].fun_module == 'ltr.models.tracking.dimpnet'
    assert contents['actor_type'] == 'KLDiMPActor'
    given = torch.load(tmp_path / 'resnet.pth', weights_only=True)
    assert not torch.equal(net.feature_extractor.state_dict()['layer3.0.conv1.weight'], given['layer3.0.conv1.weight'])
    assert net.classifier.filter_initializer.filter_conv.weight.any(), 'a zero initialiser learns'
    assert np.isfinite(contents['stats']['train']['Loss/total'].history[0])
