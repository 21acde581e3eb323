package main

import (
	"fmt"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/trailship/trailship/config/value"
)

// overhead is what the daemon's own memory needs beside limits.memory: goroutines, clients, and room for the collector. The
// pages of the binary, some 26 to 36 MiB, are resident beside it, so that all together stays below limits.memory + 64 MiB.
const overhead = 28 << 20

// limitMemory makes Go's collector aim at limits.memory and the overhead, or at nine tenths of the cgroup's limit where
// that is less. GOMEMLIMIT, where it is set, wins. It returns the limit in force.
func limitMemory(budget value.Bytes) (value.Bytes, error) {
	want := uint64(budget) + overhead
	limit, err := memlimit.Set(memlimit.WithRatio(1), memlimit.WithProvider(func() (uint64, error) {
		if cgroup, err := memlimit.FromCgroup(); err == nil { // there is a cgroup, and it has a limit
			return min(want, cgroup/10*9), nil
		}
		return want, nil
	}))
	if err != nil {
		return 0, fmt.Errorf("limiting memory: %w", err)
	}
	return value.Bytes(limit), nil
}
