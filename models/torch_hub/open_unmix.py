# labels: test_group::torch_hub name::open_unmix author::sigsep task::source_separation family::open_unmix modality::audio
"""https://github.com/sigsep/open-unmix-pytorch/blob/master/hubconf.py

The network of Open-Unmix that takes one instrument out of the spectrogram of a piece of music:
three recurrent layers between three linear ones, with random weights. The spectrogram is an input.
"""

import torch
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length = parse(["batch_size", "max_seq_length"])

BINS, BINS_USED, CHANNELS, HIDDEN = 2049, 1487, 2, 512


class OpenUnmix(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.input_mean = torch.nn.Parameter(torch.zeros(BINS_USED))
        self.input_scale = torch.nn.Parameter(torch.ones(BINS_USED))
        self.output_mean = torch.nn.Parameter(torch.ones(BINS))
        self.output_scale = torch.nn.Parameter(torch.ones(BINS))
        self.fc1 = torch.nn.Linear(BINS_USED * CHANNELS, HIDDEN, bias=False)
        self.bn1 = torch.nn.BatchNorm1d(HIDDEN)
        self.lstm = torch.nn.LSTM(
            HIDDEN, HIDDEN // 2, num_layers=3, bidirectional=True, batch_first=True
        )
        self.fc2 = torch.nn.Linear(2 * HIDDEN, HIDDEN, bias=False)
        self.bn2 = torch.nn.BatchNorm1d(HIDDEN)
        self.fc3 = torch.nn.Linear(HIDDEN, BINS * CHANNELS, bias=False)
        self.bn3 = torch.nn.BatchNorm1d(BINS * CHANNELS)

    def forward(self, spectrogram):
        batch, frames = spectrogram.shape[:2]
        x = (spectrogram[..., :BINS_USED] + self.input_mean) * self.input_scale
        x = self.bn1(self.fc1(x.reshape(batch * frames, -1))).tanh().view(batch, frames, -1)
        x = torch.cat([x, self.lstm(x)[0]], dim=-1).reshape(batch * frames, -1)
        x = self.bn3(self.fc3(self.bn2(self.fc2(x)).relu()))
        x = x.view(batch, frames, CHANNELS, BINS) * self.output_scale + self.output_mean
        return x.relu() * spectrogram


model = OpenUnmix()
model.eval()

model(torch.rand(batch_size, max_seq_length, CHANNELS, BINS))
