"""The settings of a run: a bag of attributes."""

from ltr.admin.environment import env_settings


class Settings:
    def __init__(self):
        self.env = env_settings()
        self.use_gpu = True
