# labels: test_group::popular_on_huggingface name::ast_finetuned_audioset_10_10_0_4593 author::mit task::audio_classification family::ast modality::audio
"""https://huggingface.co/MIT/ast-finetuned-audioset-10-10-0.4593

MIT/ast-finetuned-audioset-10-10-0.4593: ASTForAudioClassification with its published sizes, and
random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, pretrained = parse(["batch_size", "pretrained"])

config = transformers.ASTConfig(num_labels=527)
if pretrained:
    model = transformers.ASTForAudioClassification.from_pretrained(
        "MIT/ast-finetuned-audioset-10-10-0.4593"
    )
else:
    model = transformers.ASTForAudioClassification(config)
model.eval()

model(input_values=torch.rand(batch_size, config.max_length, config.num_mel_bins))
