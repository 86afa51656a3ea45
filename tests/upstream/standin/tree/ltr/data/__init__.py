from ltr.data.loader import LTRLoader

__all__ = ['LTRLoader']
