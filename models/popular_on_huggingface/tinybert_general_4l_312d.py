# labels: test_group::popular_on_huggingface name::tinybert_general_4l_312d author::huawei-noah task::feature_extraction family::bert modality::text
"""https://huggingface.co/huawei-noah/TinyBERT_General_4L_312D

huawei-noah/TinyBERT_General_4L_312D: BertModel with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(hidden_size=312, num_hidden_layers=4, intermediate_size=1200)
if pretrained:
    model = transformers.BertModel.from_pretrained("huawei-noah/TinyBERT_General_4L_312D")
else:
    model = transformers.BertModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
