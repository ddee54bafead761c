# labels: test_group::popular_on_huggingface name::bge_large_en_v1_5 author::baai task::feature_extraction family::bert modality::text
"""https://huggingface.co/BAAI/bge-large-en-v1.5

BAAI/bge-large-en-v1.5: BertModel with its published sizes, and random weights unless asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(
    hidden_size=1024,
    num_hidden_layers=24,
    num_attention_heads=16,
    intermediate_size=4096,
)
if pretrained:
    model = transformers.BertModel.from_pretrained("BAAI/bge-large-en-v1.5")
else:
    model = transformers.BertModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
