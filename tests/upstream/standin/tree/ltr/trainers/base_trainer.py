"""Epochs and checkpoints, with the fail-safe loop of stock and without seeds."""

import glob
import os
import traceback

import torch


class BaseTrainer:
    def __init__(self, actor, loaders, optimizer, settings, lr_scheduler=None):
        self.actor, self.loaders, self.optimizer, self.lr_scheduler = actor, loaders, optimizer, lr_scheduler
        self.epoch, self.stats = 0, {}
        self.update_settings(settings)
        self.device = getattr(settings, 'device', None)
        if self.device is None:
            self.device = torch.device('cuda:0' if torch.cuda.is_available() and settings.use_gpu else 'cpu')
        self.actor.to(self.device)

    def update_settings(self, settings=None):
        self.settings = self.settings if settings is None else settings
        workspace = os.path.expanduser(self.settings.env.workspace_dir)
        self.folder = os.path.join(workspace, 'checkpoints', self.settings.project_path)
        os.makedirs(self.folder, exist_ok=True)

    def train(self, max_epochs, load_latest=False, fail_safe=True):
        for _ in range(10):
            try:
                if load_latest:
                    self.load_checkpoint()
                for epoch in range(self.epoch + 1, max_epochs + 1):
                    self.epoch = epoch
                    self.train_epoch()
                    if self.lr_scheduler is not None:
                        self.lr_scheduler.step()
                    self.save_checkpoint()
            except BaseException:
                if not fail_safe:
                    raise
                print(traceback.format_exc())
                load_latest = True
            else:
                break
        print('Finished training!')

    def save_checkpoint(self):
        net, name = self.actor.net, type(self.actor.net).__name__
        state = {'epoch': self.epoch, 'actor_type': type(self.actor).__name__, 'net_type': name,
                 'net': net.state_dict(), 'net_info': getattr(net, 'info', None),
                 'constructor': getattr(net, 'constructor', None), 'optimizer': self.optimizer.state_dict(),
                 'stats': self.stats, 'settings': self.settings}
        path = f'{self.folder}/{name}_ep{self.epoch:04d}.pth.tar'
        torch.save(state, path[:-4] + '.tmp')
        os.rename(path[:-4] + '.tmp', path)

    def load_checkpoint(self, checkpoint=None, fields=None, ignore_fields=None, load_constructor=False):
        found = sorted(glob.glob(f'{self.folder}/{type(self.actor.net).__name__}_ep????.pth.tar'))
        if not found:
            return
        contents = torch.load(found[-1])
        self.epoch, self.stats = contents['epoch'], contents['stats']
        self.actor.net.load_state_dict(contents['net'])
        self.optimizer.load_state_dict(contents['optimizer'])
        if self.lr_scheduler is not None:
            self.lr_scheduler.last_epoch = self.epoch
