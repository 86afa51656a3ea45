from ltr.admin.loading import load_network
from ltr.admin.model_constructor import model_constructor

__all__ = ['load_network', 'model_constructor']
