__version__ = "0.2.0"

import os

# Waiting threads spin only briefly. GNU's OpenMP reads this when torch is imported (`machine` says why).
if not {'GOMP_SPINCOUNT', 'OMP_WAIT_POLICY'} & set(os.environ): os.environ['GOMP_SPINCOUNT'] = '10000'
