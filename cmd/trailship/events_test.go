package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/zap"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/pipeline/ecs"
	"github.com/trailship/trailship/sinks/local"
)

// makeStore is a command of the scripts: store FILE RECORDS makes a local store of the records in a file.
func makeStore(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: store FILE RECORDS")
	}
	store, err := local.Open(context.Background(), local.Config{Path: ts.MkAbs(args[0])}, zap.NewNop())
	ts.Check(err)
	batch := pipeline.NewBatch(1, ecs.NewEncoder(ecs.Config{}))
	reader := cloudtrail.NewReader()
	reader.Reset(strings.NewReader(ts.ReadFile(args[1])), nil)
	for {
		r, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		ts.Check(err)
		at, _ := r.Time()
		batch.Add(r, r.Field(cloudtrail.EventID).Bytes(), "index", at)
	}
	_, err = store.Write(context.Background(), batch)
	ts.Check(err)
	ts.Check(store.Close())
}

func TestParseWhen(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		text string
		want string // RFC 3339, or what the error says
		day  bool
	}{
		{"2026-11-20", "2026-11-20T00:00:00Z", true},
		{"2026-11-20T13:16:17Z", "2026-11-20T13:16:17Z", false},
		{"2026-11-20T13:16:17+01:00", "2026-11-20T12:16:17Z", false},
		{"2026-11-20T13:16+01:00", "2026-11-20T12:16:00Z", false},
		{"2026-11-20T13:16:17", "2026-11-20T13:16:17Z", false},
		{"2026-11-20 13:16:17", "2026-11-20T13:16:17Z", false},
		{"2026-11-20 13:16", "2026-11-20T13:16:00Z", false},
		{"1795262400", "2026-11-21T12:00:00Z", false},
		{"-24h", "2026-11-20T12:00:00Z", false},
		{"-90m", "2026-11-21T10:30:00Z", false},
		{"-7d", "2026-11-14T12:00:00Z", false},
		{"yesterday", "is no time: write", false},
		{"11/20/2026", "is no time: write", false},
		{"-", "is no time span", false},
		{"--24h", "is no time span", false},
		{"-99999d", "is no time span", false},
	} {
		t.Run(tc.text, func(t *testing.T) {
			at, day, err := parseWhen(tc.text, now)
			if err != nil {
				if !strings.Contains(err.Error(), tc.want) {
					t.Errorf("got %v, want %q", err, tc.want)
				}
				return
			}
			if got := at.UTC().Format(time.RFC3339); got != tc.want || day != tc.day {
				t.Errorf("got %s, %v; want %s, %v", got, day, tc.want, tc.day)
			}
		})
	}
}

func TestLookup_query(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	l := lookup{since: "2026-11-20", until: "2026-11-20", output: outputJSON}
	l.values[1] = []string{"alice", "bob"}
	want := local.Query{
		Filters: []local.Filter{{Attribute: local.User, Values: []string{"alice", "bob"}}},
		Since:   time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC),
		Until:   time.Date(2026, 11, 20, 23, 59, 59, 0, time.UTC),
		Records: true,
	}
	got, err := l.query(now)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
}

func TestVisible(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"plain text", "plain text"},
		{"héllo 世界 😀", "héllo 世界 😀"},
		{"a\tb\nc\x1b[31m", `a\u0009b\u000ac\u001b[31m`},
		{"exe.\u202egnp", `exe.\u202egnp`},
		{"\u2066a\u2069\u200f\u200b", `\u2066a\u2069\u200f\u200b`},
		{"a\u00a0b\u2028", `a\u00a0b\u2028`},
		{"\U000e0041", `\U000e0041`},
		{"\xff", `\xff`},
		{"\ufffd", "\ufffd"},
		{strings.Repeat("é", 14), strings.Repeat("é", 14)},
		{strings.Repeat("é", 15), strings.Repeat("é", 14) + "…"},
		{"", ""},
	} {
		if got := visible(tc.text, 14); got != tc.want {
			t.Errorf("%q: got %q, want %q", tc.text, got, tc.want)
		}
	}
}

func TestEventCSV_row(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "plain", "": "", "=1+1": "'=1+1", "+base64": "'+base64", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)",
		"\tx": "'\tx", "\x00x": "'\x00x", "'=x": "'=x", "a=b": "a=b", "a,\"b\"": `"a,""b"""`, "＝1": "'＝1",
	} {
		var out strings.Builder
		w, err := newEventWriter(outputCSV, &out)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.write([]local.Event{{User: text}}); err != nil {
			t.Fatal(err)
		}
		_, row, _ := strings.Cut(out.String(), "\r\n")
		if got := strings.TrimSuffix(row, ",,,,,,,,,,,,false,,\r\n"); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// stored is how many events the store at path has.
func stored(t *testing.T, path string) int {
	t.Helper()
	store, err := local.OpenReader(t.Context(), local.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	page, err := store.Events(t.Context(), local.Query{Limit: local.MaxLimit})
	if err != nil {
		t.Fatal(err)
	}
	return len(page.Events)
}
