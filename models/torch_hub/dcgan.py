# labels: test_group::torch_hub name::dcgan author::facebookresearch task::image_generation family::dcgan modality::image
"""https://github.com/facebookresearch/pytorch_GAN_zoo/blob/main/hubconf.py

The generator of DCGAN: 120 random numbers become an image of 64 x 64 pixels, with random weights.
"""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])

LATENT = 120


def make_block(channels_in, channels):
    return torch.nn.Sequential(
        torch.nn.ConvTranspose2d(channels_in, channels, 4, stride=2, padding=1, bias=False),
        torch.nn.BatchNorm2d(channels),
        torch.nn.ReLU(),
    )


class Generator(torch.nn.Module):
    def __init__(self, latent, width):
        super().__init__()
        self.start = torch.nn.Sequential(
            torch.nn.ConvTranspose2d(latent, 8 * width, 4, bias=False),
            torch.nn.BatchNorm2d(8 * width),
            torch.nn.ReLU(),
        )
        self.blocks = torch.nn.Sequential(
            make_block(8 * width, 4 * width),
            make_block(4 * width, 2 * width),
            make_block(2 * width, width),
        )
        self.end = torch.nn.ConvTranspose2d(width, 3, 4, stride=2, padding=1, bias=False)

    def forward(self, noise):
        x = noise.flatten(1)[:, :, None, None]
        return self.end(self.blocks(self.start(x))).tanh()


model = Generator(LATENT, width=64)
model.eval()

model(torch.randn(batch_size, LATENT))
