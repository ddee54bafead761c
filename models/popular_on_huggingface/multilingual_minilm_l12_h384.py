# labels: test_group::popular_on_huggingface name::multilingual_minilm_l12_h384 author::microsoft task::feature_extraction family::bert modality::text
"""https://huggingface.co/microsoft/Multilingual-MiniLM-L12-H384

microsoft/Multilingual-MiniLM-L12-H384: BertModel with its published sizes, and random weights
unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(vocab_size=250037, hidden_size=384, intermediate_size=1536)
if pretrained:
    model = transformers.BertModel.from_pretrained("microsoft/Multilingual-MiniLM-L12-H384")
else:
    model = transformers.BertModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
