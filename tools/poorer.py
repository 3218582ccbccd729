"""Plays a processor without bfloat16 units and trains tiny's first steps: `python tools/poorer.py`.

There a step of what the recipe chooses takes at most 3 times as long as one in float32. On a processor that
has no such units nothing is played: it is measured as it is.
"""
import json, os, statistics, subprocess, sys, tempfile
from pathlib import Path

root = Path(__file__).resolve().parent.parent
POOR = dict(ONEDNN_MAX_CPU_ISA='AVX2', ATEN_CPU_CAPABILITY='avx2')
STEPS, MOST = 6, 3.
SHORT = [
    f'training.total_steps={STEPS}',
    'training.warmup_steps=1',
    'training.ema_warmup_steps=1',
    'data.shapes.num_samples=96',
    'sampling.num_steps=1',
    'validation.num_samples=2',
    'validation.interval_steps=1000',
    'training.cpu_threads=1',
]


def first_steps(work, *settings):
    "(precision, median seconds of a step) of a run of a few steps."
    run = Path(work)/'-'.join(settings or ['as-it-is'])
    command = [sys.executable, '-m', 'nanodit.train', 'configs/tiny.yaml', *SHORT, *settings,
               f'data.shard_base_dir={work}/shapes', f'checkpoint.output_dir={run}']
    p = subprocess.run(command, cwd=root, env=os.environ | POOR, capture_output=True, text=True)
    if p.returncode: sys.exit(p.stdout + p.stderr)
    log = [json.loads(line) for line in (run/'log.jsonl').read_text().splitlines()]
    return log[0]['machine']['name'], statistics.median(r['step_seconds'] for r in log[1:])


with tempfile.TemporaryDirectory() as work:
    name, chosen = first_steps(work, *sys.argv[1:])
    _, fp32 = first_steps(
        work, 'training.precision=fp32', 'training.optimizer.type=AdamW', 'training.optimizer.muon_lr=null'
    )
print(
    f'a step of tiny without bfloat16 units: {chosen:.2f} s in {name}, {chosen / fp32:.2f} x float32 with '
    f'AdamW'
)
sys.exit(f'more than {MOST:g} x: something computes in bfloat16 there' if chosen > MOST * fp32 else 0)
