package deadletter_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/trailship/trailship/pipeline"
	"github.com/trailship/trailship/pipeline/cloudtrail"
	"github.com/trailship/trailship/sinks/deadletter"
	"github.com/trailship/trailship/sinks/sinktest"
)

// eachPlace runs a test on every kind of place.
func eachPlace(t *testing.T, test func(t *testing.T, p *deadletter.Places)) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Run("index", func(t *testing.T) { test(t, places(t, deadletter.Config{Index: "dead"}, newServer(t))) })
	t.Run("directory", func(t *testing.T) { test(t, places(t, deadletter.Config{Directory: t.TempDir()}, nil)) })
	t.Run("s3", func(t *testing.T) {
		c := newCloud(t)
		c.AddBucket("keep", "")
		test(t, c.place(t, "s3://keep/dead"))
	})
}

// shelf is the one shelf of a place.
func shelf(t *testing.T, p *deadletter.Places) deadletter.Shelf {
	t.Helper()
	all := p.Shelves()
	if len(all) != 1 {
		t.Fatalf("got %d shelves, want 1", len(all))
	}
	return all[0]
}

// stacks are all stacks of a place, and the letters of each.
func stacks(t *testing.T, p *deadletter.Places) (all []deadletter.Stack, letters [][]*deadletter.Kept) {
	t.Helper()
	for s, err := range shelf(t, p).Stacks(t.Context(), time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		var in []*deadletter.Kept
		for k, err := range s.Letters(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			in = append(in, k)
		}
		all, letters = append(all, s), append(letters, in)
	}
	return all, letters
}

// idsOf counts letters by id.
func idsOf(letters [][]*deadletter.Kept) map[string]int {
	ids := map[string]int{}
	for _, in := range letters {
		for _, k := range in {
			ids[k.ID]++
		}
	}
	return ids
}

func TestShelf_readsBack(t *testing.T) {
	eachPlace(t, func(t *testing.T, p *deadletter.Places) {
		t.Helper()
		read := time.Date(2026, 2, 3, 4, 5, 6, 7000, time.UTC)
		l := sinktest.Letter("a", "mapper_parsing_exception", "{\"odd\":\"\xff\"}")
		l.Origin.Region, l.Origin.Read = "eu-west-1", read
		l.Origin.KeyInfo = cloudtrail.ParseKey(l.Origin.Key)
		object := pipeline.Letter{
			ID: "object-1", Origin: &cloudtrail.Object{Key: "/logs/a.json.gz"}, Refusal: pipeline.Refusal{Type: "truncated", Reason: "cut"},
		}
		before := time.Now()
		if err := p.Bury(t.Context(), []pipeline.Letter{l, object}); err != nil {
			t.Fatal(err)
		}
		got := map[string]pipeline.Letter{}
		_, all := stacks(t, p)
		for _, in := range all {
			for _, k := range in {
				got[k.ID] = k.Letter
				if k.Time.Before(before.Add(-time.Second)) || k.Time.After(time.Now()) {
					t.Errorf("buried at %v, want now", k.Time)
				}
			}
		}
		want := map[string]pipeline.Letter{"a": l, "object-1": object}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// What stays when others are taken out is as old as it was, and is found by that.
func TestShelf_staysOld(t *testing.T) {
	eachPlace(t, func(t *testing.T, p *deadletter.Places) {
		t.Helper()
		a, b := sinktest.Letter("a", "x", `{"eventID":"a"}`), sinktest.Letter("b", "x", `{"eventID":"b"}`)
		if err := p.Bury(t.Context(), []pipeline.Letter{a, b}); err != nil {
			t.Fatal(err)
		}
		until := time.Now().Add(time.Second)
		time.Sleep(2100 * time.Millisecond) // names tell seconds
		all, letters := stacks(t, p)
		for i, s := range all {
			if err := s.Remove(t.Context(), func(at int) bool { return letters[i][at].ID == "a" }); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for s, err := range shelf(t, p).Stacks(t.Context(), time.Time{}, until) {
			if err != nil {
				t.Fatal(err)
			}
			for k, err := range s.Letters(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, k.ID)
			}
		}
		if want := []string{"b"}; !cmp.Equal(want, got) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// A folder may have any name.
func TestShelf_oddFolder(t *testing.T) {
	p := places(t, deadletter.Config{Directory: filepath.Join(t.TempDir(), "dead[1]*?")}, nil)
	if err := p.Bury(t.Context(), []pipeline.Letter{letter("a", `{}`)}); err != nil {
		t.Fatal(err)
	}
	if all, _ := stacks(t, p); len(all) != 1 {
		t.Errorf("got %d stacks, want 1", len(all))
	}
}

func TestShelf_removes(t *testing.T) {
	eachPlace(t, func(t *testing.T, p *deadletter.Places) {
		t.Helper()
		want := map[string]int{}
		for n := range 3 {
			var letters []pipeline.Letter
			for i := range 150 {
				id := fmt.Sprintf("%d-%03d", n, i)
				letters = append(letters, sinktest.Letter(id, "index_blocked", `{"eventID":"`+id+`"}`))
				letters[i].Number = i + 1
				if i%3 > 0 {
					want[id] = 1
				}
			}
			if err := p.Bury(t.Context(), letters); err != nil {
				t.Fatal(err)
			}
		}
		all, letters := stacks(t, p)
		if got := idsOf(letters); len(got) != 450 {
			t.Fatalf("got %d letters, want 450", len(got))
		}
		for i, s := range all {
			third := func(at int) bool {
				n, err := strconv.Atoi(letters[i][at].ID[2:])
				return err == nil && n%3 == 0
			}
			if err := s.Remove(t.Context(), third); err != nil {
				t.Error(err)
			}
		}
		again, rest := stacks(t, p)
		if diff := cmp.Diff(want, idsOf(rest)); diff != "" {
			t.Errorf("letters left (-want +got):\n%s", diff)
		}
		for _, s := range again {
			if err := s.Remove(t.Context(), func(int) bool { return true }); err != nil {
				t.Error(err)
			}
		}
		if left, _ := stacks(t, p); len(left) != 0 {
			t.Errorf("%d stacks left, want none", len(left))
		}
	})
}

// TestShelf_buriedMeanwhile buries while others take letters out: none of those that Bury took may be missing.
func TestShelf_buriedMeanwhile(t *testing.T) {
	eachPlace(t, func(t *testing.T, p *deadletter.Places) {
		t.Helper()
		const writers, each = 4, 30
		var burying sync.WaitGroup
		for w := range writers {
			burying.Go(func() {
				for i := range each {
					l := sinktest.Letter(fmt.Sprintf("%d-%d", w, i), "index_blocked", "{}")
					if err := p.Bury(t.Context(), []pipeline.Letter{l}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		done := make(chan struct{})
		go func() {
			burying.Wait()
			close(done)
		}()
		removed := map[string]int{}
		take := func() {
			for s, err := range shelf(t, p).Stacks(t.Context(), time.Time{}, time.Time{}) {
				if err != nil {
					t.Error(err)
					continue
				}
				var ids []string
				for k, err := range s.Letters(t.Context()) {
					if err == nil {
						ids = append(ids, k.ID)
					}
				}
				if s.Remove(t.Context(), func(i int) bool { return i < len(ids) }) == nil {
					for _, id := range ids {
						removed[id]++
					}
				}
			}
		}
		for busy := true; busy; {
			select {
			case <-done:
				busy = false
			default:
			}
			take()
		}
		take()
		if len(removed) != writers*each {
			t.Errorf("%d letters came out, want all %d that were buried", len(removed), writers*each)
		}
	})
}

func TestShelf_time(t *testing.T) {
	eachPlace(t, func(t *testing.T, p *deadletter.Places) {
		t.Helper()
		if err := p.Bury(t.Context(), []pipeline.Letter{sinktest.Letter("a", "index_blocked", "{}")}); err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		for _, c := range []struct {
			name         string
			since, until time.Time
			want         int
		}{
			{"all", time.Time{}, time.Time{}, 1},
			{"the last hour", now.Add(-time.Hour), now.Add(time.Hour), 1},
			{"until an hour ago", time.Time{}, now.Add(-time.Hour), 0},
			{"from the day after tomorrow", now.Add(48 * time.Hour), time.Time{}, 0},
		} {
			n := 0
			f := deadletter.Filter{Since: c.since, Until: c.until}
			for s, err := range shelf(t, p).Stacks(t.Context(), c.since, c.until) {
				if err != nil {
					t.Fatal(err)
				}
				for k, err := range s.Letters(t.Context()) {
					if err == nil && f.Chooses(k) {
						n++
					}
				}
			}
			if n != c.want {
				t.Errorf("%s: got %d letters, want %d", c.name, n, c.want)
			}
		}
	})
}

// TestDirectory_damaged has a file with a line that is none, and an end that a kill has cut off.
func TestDirectory_damaged(t *testing.T) {
	dir := t.TempDir()
	p := places(t, deadletter.Config{Directory: dir}, nil)
	file := filepath.Join(dir, "dead-letters-20260203T040506Z-ABCDEFGH.ndjson")
	text := `{"id":"a","@timestamp":"2026-02-03T04:05:06Z","key":"k","record":"{}"}` + "\nrubbish\n" +
		`{"id":"b","@timestamp":"2026-02-03T04:05:07Z","key":"k","record":"{}"}` + "\n" + `{"id":"c","@timesta`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for s, err := range shelf(t, p).Stacks(t.Context(), time.Time{}, time.Time{}) {
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for k, err := range s.Letters(t.Context()) {
			switch {
			case errors.Is(err, deadletter.ErrNotLetter):
				got = append(got, "damaged")
			case err != nil:
				t.Error(err)
			default:
				got = append(got, k.ID)
			}
		}
		if diff := cmp.Diff([]string{"a", "damaged", "b"}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if err := s.Remove(t.Context(), func(i int) bool { return i != 1 }); err != nil {
			t.Error(err)
		}
	}
	left, err := os.ReadFile(file)
	if want := "rubbish\n" + `{"id":"c","@timesta`; err != nil || string(left) != want {
		t.Errorf("got %q, %v, want what is no letter: %q", left, err, want)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, ".*")); len(names) > 0 {
		t.Errorf("left behind: %v", names)
	}
}

func TestFilter(t *testing.T) {
	at := time.Date(2026, 2, 3, 0, 0, 0, 0, time.UTC)
	l := &deadletter.Kept{Letter: sinktest.Letter("a", "index_blocked", "{}"), Time: at}
	local := &deadletter.Kept{Letter: pipeline.Letter{Origin: &cloudtrail.Object{Key: "/logs/a.json"}}, Time: at}
	for _, c := range []struct {
		name string
		f    deadletter.Filter
		k    *deadletter.Kept
		want bool
	}{
		{"nothing", deadletter.Filter{}, l, true},
		{"reason", deadletter.Filter{Reasons: []string{"x", "index_blocked"}}, l, true},
		{"another reason", deadletter.Filter{Reasons: []string{"index"}}, l, false},
		{"since", deadletter.Filter{Since: at}, l, true},
		{"until is not in it", deadletter.Filter{Until: at}, l, false},
		{"bucket", deadletter.Filter{Key: "trail/**"}, l, true},
		{"key", deadletter.Filter{Key: "**/eu-west-1/2026/02/**"}, l, true},
		{"another bucket", deadletter.Filter{Key: "other/**"}, l, false},
		{"a file", deadletter.Filter{Key: "/logs/*.json"}, local, true},
	} {
		if got := c.f.Chooses(c.k); got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
	if err := (deadletter.Filter{Key: "a[b"}).Validate(); err == nil || !strings.Contains(err.Error(), "path glob") {
		t.Errorf("a broken glob: got %v", err)
	}
}
