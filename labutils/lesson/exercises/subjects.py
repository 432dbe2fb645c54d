"""The subjects of the exercises, in the order in which they are met, and the notebook that teaches each."""

CORPUS = "what a model reads"
PRETRAINING = "how it reads"
PAIRS = "what it is tuned on"
FINETUNING = "how it is tuned"
EFFECTS = "what tuning changes"
TASKS = "a task of your own"
OWN_FILE = "a file of your own"
ADAPTERS = "fewer weights"

NOTEBOOKS = {
    CORPUS: "01_pretraining_data",
    PRETRAINING: "02_pretraining",
    PAIRS: "03_finetuning_data",
    FINETUNING: "04_finetuning",
    EFFECTS: "05_what_changes",
    TASKS: "06_your_own_task",
    OWN_FILE: "07_your_own_file",
    ADAPTERS: "08_fewer_weights_bigger_models",
}
