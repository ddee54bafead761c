# labels: test_group::popular_on_huggingface name::snowflake_arctic_embed_xs author::snowflake task::feature_extraction family::bert modality::text
"""https://huggingface.co/Snowflake/snowflake-arctic-embed-xs

Snowflake/snowflake-arctic-embed-xs: BertModel with its published sizes, and random weights unless
asked.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length, pretrained = parse(["batch_size", "max_seq_length", "pretrained"])

config = transformers.BertConfig(hidden_size=384, num_hidden_layers=6, intermediate_size=1536)
if pretrained:
    model = transformers.BertModel.from_pretrained("Snowflake/snowflake-arctic-embed-xs")
else:
    model = transformers.BertModel(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
}

model(**inputs)
