"""One epoch."""

import os
from collections import OrderedDict

import torch

from ltr.admin.stats import AverageMeter, StatValue
from ltr.trainers.base_trainer import BaseTrainer


class LTRTrainer(BaseTrainer):
    def __init__(self, actor, loaders, optimizer, settings, lr_scheduler=None, freeze_backbone_bn_layers=False):
        super().__init__(actor, loaders, optimizer, settings, lr_scheduler)
        for name, value in (('print_interval', 10), ('print_stats', None), ('description', '')):
            if getattr(settings, name, None) is None:
                setattr(settings, name, value)
        self.stats = OrderedDict((loader.name, None) for loader in loaders)
        self.move_data_to_gpu = getattr(settings, 'move_data_to_gpu', True)
        os.makedirs(os.path.join(settings.env.tensorboard_dir, settings.project_path), exist_ok=True)

    def cycle_dataset(self, loader):
        self.actor.train(loader.training)
        torch.set_grad_enabled(loader.training)
        for step, data in enumerate(loader, 1):
            if self.move_data_to_gpu:
                data = data.to(self.device)
            data['epoch'], data['settings'] = self.epoch, self.settings
            loss, stats = self.actor(data)
            if loader.training:
                self.optimizer.zero_grad()
                loss.backward()
                if getattr(self.settings, 'grad_clip_max_norm', None):
                    torch.nn.utils.clip_grad_norm_(self.actor.net.parameters(), self.settings.grad_clip_max_norm)
                self.optimizer.step()
            kept = self.stats[loader.name] = self.stats[loader.name] or OrderedDict()
            for name, value in stats.items():
                kept.setdefault(name, AverageMeter()).update(value, data['train_images'].shape[loader.stack_dim])
            if step % self.settings.print_interval == 0 or step == len(loader):
                figures = ', '.join(f'{name}: {meter.avg:.5f}' for name, meter in kept.items()
                                    if isinstance(meter, AverageMeter))
                print(f'[{loader.name}: {self.epoch}, {step} / {len(loader)}] {figures}')

    def train_epoch(self):
        for loader in self.loaders:
            if self.epoch % loader.epoch_interval == 0:
                self.cycle_dataset(loader)
        for loader in self.loaders:
            for meter in (self.stats[loader.name] or {}).values():
                meter.new_epoch() if hasattr(meter, 'new_epoch') else meter.push_history()
            rates = [group['lr'] for group in self.optimizer.param_groups]
            for index, rate in enumerate(rates):
                self.stats[loader.name].setdefault(f'LearningRate/group{index}', StatValue()).update(rate)
