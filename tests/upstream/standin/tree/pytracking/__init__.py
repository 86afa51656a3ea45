from pytracking.libs.tensors import TensorDict, TensorList

__all__ = ['TensorDict', 'TensorList']
