//go:build ledger

package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

func TestMain(m *testing.M) {
	if os.Getenv(standInEnv) != "" {
		main()
		return
	}
	m.Run()
}

// TestLedger plays every row. The seed is TRAILSHIP_LEDGER_SEED, or a new one each time.
func TestLedger(t *testing.T) {
	s := setting{scale: 1, seed: rand.Uint64N(1_000_000), logs: os.Getenv("TRAILSHIP_TEST_LOGS")}
	if text := os.Getenv("TRAILSHIP_LEDGER_SEED"); text != "" {
		var err error
		if s.seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("reading TRAILSHIP_LEDGER_SEED: %v", err)
		}
	}
	if os.Getenv("TRAILSHIP_TEST_FULL") != "" {
		s.scale = full
	}
	if s.logs == "" {
		s.logs = t.TempDir()
	}
	s.binary = filepath.Join(s.logs, "trailship")
	if err := build(t.Context(), s.binary); err != nil {
		t.Fatal(err)
	}
	rows, err := choose(allRows(s.scale, 0, s.seed), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.buildStepped(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	results := make([]*result, len(rows))
	t.Cleanup(func() { writeTable(t, s, results) })
	for _, i := range longestFirst(rows) {
		t.Run(rows[i].name, func(t *testing.T) {
			t.Parallel()
			res, err := play(t.Context(), s, rows[i])
			if err != nil {
				t.Fatal(err)
			}
			results[i] = res
			if res.skipped != "" {
				t.Skip(res.skipped)
			}
			for _, note := range res.notes {
				t.Log(note)
			}
			for _, p := range res.problems {
				t.Errorf("%s; again with: go run ./test/ledger -rows %s -seed %d", p, rows[i].name, s.seed)
			}
		})
	}
}

// writeTable leaves the table beside the output of the processes, for test/run to show.
func writeTable(t *testing.T, s setting, results []*result) {
	t.Helper()
	f, err := os.Create(filepath.Join(s.logs, "table.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	played := slices.DeleteFunc(slices.Clone(results), func(r *result) bool { return r == nil })
	if err := printTable(f, played, s); err != nil {
		t.Error(err)
	}
}
