"""A visdom server: the connection, and training curves on it. Visdom is an extra: imported when it is asked for."""

from __future__ import annotations

import logging
import socket
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlparse

import numpy as np

from ltr.admin.errors import UserError
from ltr.admin.stats import AverageMeter, StatValue

SERVER, PORT = '127.0.0.1', 8097


def connect(server: str = SERVER, port: int = PORT, env: str = 'main', listen: bool = False) -> Any:
    """A client of a visdom server that runs already.

    Args:
        server: host name or address, with or without `http://`.
        port: of the server.
        env: visdom's environment, that is, page.
        listen: receive keys and clicks.

    Returns:
        `visdom.Visdom`; raises ConnectionError when the server goes away.

    Raises:
        UserError: visdom is not installed, or there is no server.
    """
    try:
        import visdom
    except ImportError:
        raise UserError('the live view needs visdom, which is not installed: pip install visdom') from None
    address = server if '//' in server else f'http://{server}'
    host = urlparse(address).hostname or server
    try:
        socket.create_connection((host, port), timeout=5).close()
    except (OSError, OverflowError) as error:
        raise UserError(f'no visdom server at {host}:{port} ({error}): start one with '
                        f'python -m visdom.server -port {port}') from None
    for chatty in ('visdom', 'websocket'):  # a server that goes away is told of by those who use this
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    try:
        return visdom.Visdom(server=address, port=port, env=env, use_incoming_socket=listen, raise_exceptions=True)
    except ConnectionError as error:
        raise UserError(f'the server at {host}:{port} is no visdom server ({error})') from None


class VisdomWriter:
    """Training curves: one window a statistic, one line a loader, one point an epoch.

    Has the face of `TensorboardWriter`. A server that goes away ends the curves, not the training; that is said once.

    Args:
        run: name of the run, also of visdom's environment.
        server, port: see `connect`, which raises for this class.
    """

    def __init__(self, run: str, server: str = SERVER, port: int = PORT) -> None:
        self.env = run.replace('/', '_')  # visdom makes a file of this name
        self.view: Any = connect(server, port, self.env)

    def write_epoch(self, stats: Mapping[str, Mapping[str, AverageMeter | StatValue] | None], epoch: int) -> None:
        """Send the newest value of every statistic.

        Args:
            stats: of the loaders that ran in this epoch.
            epoch: its number.
        """
        for loader, values in stats.items():
            for name, value in (values or {}).items():
                if value.history and self.view is not None:
                    self._point(loader, name, epoch, value.history[-1])

    def _point(self, loader: str, name: str, epoch: int, value: float) -> None:
        try:
            self.view.line(np.array([value]), np.array([epoch]), win=name, name=loader, update='append',
                           opts={'title': name, 'xlabel': 'epoch', 'showlegend': True, 'markers': True})
        except ConnectionError:
            print('notice: the visdom server is gone, no more curves are sent', file=sys.stderr)
            self.view = None

    def close(self) -> None:
        """Nothing is open between two epochs."""


def writer_of(settings: Any) -> VisdomWriter | None:
    """The writer that a run's settings ask for: `use_visdom`, and `visdom_server`, `visdom_port` where they are set.

    Args:
        settings: `Settings`; `project_path` names the run.

    Returns:
        None without `use_visdom`: nothing is imported or opened then.

    Raises:
        UserError: see `connect`.
    """
    if not getattr(settings, 'use_visdom', False):
        return None
    server, port = getattr(settings, 'visdom_server', None) or SERVER, getattr(settings, 'visdom_port', None) or PORT
    return VisdomWriter(settings.project_path, server, int(port))
