"""3x3 convolutions with fewer multiplications, as three matrix products.

A tile of m x m outputs is computed from (m + 2) x (m + 2) inputs with as many products as inputs, in place of 9 m^2:
2.8 a cell in place of 9 for m = 3. Input tiles, kernels and products are taken through fixed transforms; those of the
kernels are kept.

Reference: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016; Winograd, 1980.

Legend: N images, C / O channels in / out, H x W cells, m side of an output tile, t = m + 2 side of an input tile, T
tiles.
"""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST_WORK = 50_000_000
"""Multiply-adds of a plain convolution of one image from which on the detour is worth it."""
LEAST_CHANNELS = 128
POINTS = (0.0, 1.0, -1.0, 0.5, -2.0)
"""Where polynomials are evaluated, and at infinity: small numbers keep float32 exact."""


@functools.lru_cache
def transforms(m: int) -> tuple[Tensor, Tensor, Tensor]:
    """Toom-Cook matrices of a side: of inputs (t, t), kernels (t, 3) and products (m, t), float64.

    `products @ ((kernels @ g) * (inputs @ d))` is the correlation of d (t,) with g (3,).
    """
    points = torch.tensor(POINTS[:m + 1], dtype=torch.float64)

    def evaluate(length: int) -> Tensor:
        powers = points[:, None] ** torch.arange(length, dtype=torch.float64)
        infinity = torch.eye(length, dtype=torch.float64)[-1:]
        return torch.cat((powers, infinity))
    return torch.linalg.inv(evaluate(m + 2)).T.contiguous(), evaluate(3), evaluate(m).T.contiguous()


class WinogradConv2d(nn.Conv2d):
    """A 3x3 convolution of stride 1 for inference on the CPU: `nn.Conv2d` up to rounding, faster on larger maps.

    Elsewhere, and for maps on which it would not be faster, it is the plain convolution. No gradient flows.
    """

    _kept: tuple[Tensor, Tensor, Tensor] | None = None

    @classmethod
    def of(cls, conv: nn.Conv2d) -> WinogradConv2d:
        """The same convolution; shares the weights, which must not change any more."""
        made = cls(conv.in_channels, conv.out_channels, 3, padding=conv.padding,  # type: ignore[arg-type]
                   bias=conv.bias is not None, device='meta')
        made.weight, made.bias = conv.weight, conv.bias
        return made.train(conv.training)

    @staticmethod
    def takes(conv: nn.Conv2d) -> bool:
        """Whether a convolution is of the kind that is computed so."""
        return (type(conv) is nn.Conv2d and conv.kernel_size == (3, 3) and conv.stride == (1, 1)
                and conv.dilation == (1, 1) and conv.groups == 1 and conv.padding == (1, 1)
                and conv.padding_mode == 'zeros' and min(conv.in_channels, conv.out_channels) >= LEAST_CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, O, H, W), channels last where it is computed by tiles."""
        if not self._worth_it(x, x.shape[-2] * x.shape[-1]):
            return super().forward(x)
        return self._by_tiles(x, 1)

    def unpadded(self, x: Tensor) -> Tensor:
        """The same without padding: (N, O, H - 2, W - 2)."""
        if not self._worth_it(x, (x.shape[-2] - 2) * (x.shape[-1] - 2)):
            return functional.conv2d(x, self.weight, self.bias)
        return self._by_tiles(x, 0)

    def _worth_it(self, x: Tensor, cells: int) -> bool:
        work = 9 * cells * self.in_channels * self.out_channels  # of one image: a batch has the numbers of its parts
        return (x.device.type == 'cpu' and x.dtype == torch.float32 and work >= LEAST_WORK
                and not (torch.is_grad_enabled() and (x.requires_grad or self.weight.requires_grad)))

    def _matrices(self) -> tuple[Tensor, Tensor, Tensor]:
        """Transforms of tiles and products, both axes in one matrix, and the transformed kernels (t t, C, O)."""
        if self._kept is None:
            # With few channels the transforms weigh more than the products: larger tiles overlap less.
            m = 4 if self.in_channels * self.out_channels <= 128 * 128 else 3
            inputs, kernels, products = transforms(m)
            weight = self.weight.detach().permute(2, 3, 0, 1).flatten(0, 1)
            axes = torch.kron(kernels, kernels).float()
            kept = (axes @ weight.flatten(1)).unflatten(1, weight.shape[1:]).transpose(1, 2)
            self._kept = torch.kron(inputs, inputs).float(), torch.kron(products, products).float(), kept
        return self._kept

    def _by_tiles(self, x: Tensor, padding: int) -> Tensor:
        inputs, products, kernels = self._matrices()
        m = round(products.shape[0] ** 0.5)
        number, channels = x.shape[:2]
        height, width = x.shape[-2] + 2 * padding - 2, x.shape[-1] + 2 * padding - 2
        rows, columns = -(-height // m), -(-width // m)
        x = functional.pad(x, (padding, columns * m - width + padding, padding, rows * m - height + padding))
        along_n, along_c, along_h, along_w = x.stride()
        tiles = x.as_strided((m + 2, m + 2, number, rows, columns, channels),
                             (along_h, along_w, along_n, m * along_h, m * along_w, along_c), x.storage_offset())
        of_tiles = (inputs @ tiles.reshape(len(inputs), -1)).reshape(len(inputs), -1, channels)
        parts = products @ torch.bmm(of_tiles, kernels).flatten(1)
        parts = parts.reshape(m, m, number, rows, columns, -1).permute(2, 3, 0, 4, 1, 5)
        out = torch.empty(parts.shape, dtype=x.dtype)
        if self.bias is None:
            out.copy_(parts)
        else:
            torch.add(parts, self.bias, out=out)
        return out.reshape(number, rows * m, columns * m, -1)[:, :height, :width].permute(0, 3, 1, 2)
