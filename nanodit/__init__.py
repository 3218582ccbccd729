__version__ = "0.2.0"

import os

# Threads that wait spin only briefly: read by GNU's OpenMP when torch is imported (`machine` has the reason, `bench` the measurement).
if not {'GOMP_SPINCOUNT', 'OMP_WAIT_POLICY'} & set(os.environ): os.environ['GOMP_SPINCOUNT'] = '10000'
