# labels: test_group::transformers name::bigbird_pegasus_for_conditional_generation author::huggingface_pytorch task::text2text_generation family::bigbird_pegasus modality::text
"""https://github.com/huggingface/transformers/tree/main/src/transformers/models/bigbird_pegasus

BigBirdPegasusForConditionalGeneration with the default configuration of its library and random
weights.
Written by models/generate.
"""

import torch
import transformers
from turnkeyml.parser import parse

torch.manual_seed(0)

batch_size, max_seq_length = parse(["batch_size", "max_seq_length"])

config = transformers.BigBirdPegasusConfig()
model = transformers.BigBirdPegasusForConditionalGeneration(config)
model.eval()

shape = (batch_size, max_seq_length)
inputs = {
    "input_ids": torch.randint(0, config.vocab_size, shape),
    "attention_mask": torch.ones(shape, dtype=torch.long),
    "decoder_input_ids": torch.randint(0, config.vocab_size, shape),
}

model(**inputs)
