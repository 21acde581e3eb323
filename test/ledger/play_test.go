package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestResult_judge: a trouble that never happened is a problem, unless the machine was too busy for anybody to meet it; a lost
// event always is.
func TestResult_judge(t *testing.T) {
	away := &row{faults: []fault{{kind: kindAway}}}
	for _, tt := range []struct {
		name            string
		sums            sums
		met             int64
		problems, notes int
	}{
		{name: "it happened", met: 1},
		{name: "it never happened", problems: 2},
		{name: "a busy machine", sums: sums{Late: time.Second}, notes: 2},
		{name: "a loss on a busy machine", sums: sums{Late: time.Second, Lost: 1}, met: 1, problems: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := &result{row: away, happened: tt.met, tally: tally{Sums: tt.sums, Faults: map[kind]int64{kindAway: tt.met}}}
			res.judge()
			if len(res.problems) != tt.problems || len(res.notes) != tt.notes {
				t.Errorf("got problems %q and notes %q, want %d and %d", res.problems, res.notes, tt.problems, tt.notes)
			}
		})
	}
}

// TestWorld_strike: the first request that could meet a fault does, behind the fault's window too; the others do while it is open.
func TestWorld_strike(t *testing.T) {
	const second = time.Second
	for _, tt := range []struct {
		name   string
		fault  fault
		chance bool
		at     []time.Duration // of requests, since the beginning
		want   []bool
	}{
		{"in its window", fault{from: 2 * second, until: 4 * second}, false, []time.Duration{second, 3 * second, 5 * second}, []bool{false, true, false}},
		{"nobody met it in time", fault{until: 2 * second}, false, []time.Duration{3 * second, 4 * second}, []bool{true, false}},
		{"nobody met it in time, by chance", fault{until: 2 * second}, true, []time.Duration{3 * second}, []bool{false}},
		{"hardly ever", fault{rate: 1e-12}, false, []time.Duration{second, 2 * second}, []bool{true, false}},
		{"hardly ever, by chance", fault{rate: 1e-12}, true, []time.Duration{second}, []bool{false}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.fault.kind = kindSlow
			r := &row{chance: tt.chance, faults: []fault{tt.fault}}
			w := &world{row: r, dice: r.source(1, "faults"), faults: []*armed{{fault: tt.fault}}}
			var got []bool
			for _, at := range tt.at {
				began := time.Now().Add(-at - second/2)
				w.began.Store(&began)
				got = append(got, w.strike(kindSlow, nil) != nil)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("who met it (-want +got):\n%s", diff)
			}
		})
	}
}
