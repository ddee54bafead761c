# labels: test_group::torch_hub name::brain_segmentation_unet author::mateuszbuda task::image_segmentation family::unet modality::image
"""https://github.com/mateuszbuda/brain-segmentation-pytorch/blob/master/hubconf.py

A U-Net of four levels that marks what is abnormal in a picture of a brain of 256 x 256 pixels, with
random weights.
"""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size = parse(["batch_size"])


def make_block(channels_in, channels):
    return torch.nn.Sequential(
        torch.nn.Conv2d(channels_in, channels, 3, padding=1, bias=False),
        torch.nn.BatchNorm2d(channels),
        torch.nn.ReLU(),
        torch.nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        torch.nn.BatchNorm2d(channels),
        torch.nn.ReLU(),
    )


class UNet(torch.nn.Module):
    def __init__(self, channels_in, channels_out, width, levels):
        super().__init__()
        widths = [width * 2**level for level in range(levels + 1)]
        self.encoders = torch.nn.ModuleList(
            make_block(before, after) for before, after in zip([channels_in, *widths], widths[:-1])
        )
        self.bottleneck = make_block(widths[-2], widths[-1])
        self.upsamples = torch.nn.ModuleList(
            torch.nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in widths[-2::-1]
        )
        self.decoders = torch.nn.ModuleList(
            make_block(2 * width, width) for width in widths[-2::-1]
        )
        self.pool = torch.nn.MaxPool2d(2)
        self.head = torch.nn.Conv2d(widths[0], channels_out, 1)

    def forward(self, image):
        x, kept = image, []
        for encoder in self.encoders:
            x = encoder(x)
            kept.append(x)
            x = self.pool(x)
        x = self.bottleneck(x)
        for upsample, decoder in zip(self.upsamples, self.decoders):
            x = decoder(torch.cat([upsample(x), kept.pop()], dim=1))
        return self.head(x).sigmoid()


model = UNet(channels_in=3, channels_out=1, width=32, levels=4)
model.eval()

model(torch.rand(batch_size, 3, 256, 256))
