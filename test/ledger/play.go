package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

// result is what became of a row.
type result struct {
	row      *row
	tally    tally
	happened int64 // faults
	drain    time.Duration
	peak     int64    // bytes of resident memory, the largest of all daemons
	problems []string // none: the row passed
	notes    []string // what a reader should know and is no problem
	skipped  string   // why the row cannot be played here
}

const (
	pollEvery = 100 * time.Millisecond
	// What a daemon may take: limits.memory, and 64 MiB.
	maxResident = 128 << 20
	grace       = time.Second // behind the drain: nothing more may happen
)

// play plays one row from the first message to the last.
func play(ctx context.Context, s setting, r *row) (*result, error) {
	if why := r.cannot(); why != "" {
		return &result{row: r, skipped: why}, nil
	}
	st, err := newStage(ctx, s, r)
	if err != nil {
		return nil, err
	}
	res := &result{row: r}
	if err := st.prepare(); err != nil {
		return nil, errors.Join(err, st.close())
	}
	living, end := context.WithCancel(ctx)
	defer end()
	daemons := errgroup.Group{}
	peaks := make([]int64, max(1, r.life.replicas))
	for n := range peaks {
		dice := r.source(s.seed, fmt.Sprintf("life %d", n))
		daemons.Go(func() (err error) {
			peaks[n], err = st.live(living, n, dice)
			return err
		})
	}
	err = errors.Join(st.ask(ctx, "/begin", nil), st.watch(ctx, res))
	end()
	if ended := daemons.Wait(); ended != nil {
		res.problems = append(res.problems, ended.Error())
	}
	var last tally
	if err = errors.Join(err, st.ask(ctx, "/tally", &last)); err != nil {
		return nil, errors.Join(err, st.close())
	}
	res.tally = last
	for _, p := range peaks {
		res.peak = max(res.peak, p)
	}
	for _, n := range res.tally.Faults {
		res.happened += n
	}
	res.happened += st.signals.Load()
	if n := st.uneven.Load(); n > 0 {
		res.problems = append(res.problems, fmt.Sprintf("at %d scrapes records were missing from the daemon's counts", n))
	}
	res.judge()
	return res, st.close()
}

// watch waits until the queue is empty, at most for the row's bound after its last trouble and its last message.
func (st *stage) watch(ctx context.Context, res *result) error {
	var begun bool
	var calm time.Time // zero before it
	for {
		var now tally // not the one before: decoding leaves in a map what is not there any more
		if err := st.ask(ctx, "/tally", &now); err != nil {
			return err
		}
		res.tally = now
		st.weigh(ctx)
		if now.Began && !begun {
			begun = true
			close(st.begun)
		}
		if now.Calm && calm.IsZero() {
			calm = time.Now()
		}
		if !calm.IsZero() {
			res.drain = time.Since(calm)
		}
		switch {
		case calm.IsZero():
		case st.row.drained(&res.tally.Sums):
			return pause(ctx, grace)
		case res.drain > st.row.bound:
			res.problems = append(res.problems, fmt.Sprintf("%d messages with %d events are left after %s",
				res.tally.Sums.Left, res.tally.Sums.Open, st.row.bound))
			return nil
		}
		if err := pause(ctx, pollEvery); err != nil {
			return err
		}
	}
}

// blame enters what is the daemon's fault, unless the machine was so busy that it may be the machine's.
func (res *result) blame(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if late := res.tally.Sums.Late; late > tooLate {
		res.notes = append(res.notes, fmt.Sprintf("%s, on a machine whose timers were up to %s late", what, late.Round(time.Millisecond)))
		return
	}
	res.problems = append(res.problems, what)
}

// judgeFaults looks whether the trouble did happen.
func (res *result) judgeFaults() {
	missed := map[kind]bool{}
	for _, f := range res.row.faults {
		if res.tally.Faults[f.kind] == 0 && !missed[f.kind] {
			missed[f.kind] = true
			if !res.row.chance {
				res.blame("the fault %q never happened", f.kind)
			}
		}
	}
	if res.happened == 0 || len(missed) > len(res.tally.Faults)/2 {
		res.blame("hardly any trouble happened")
	}
}

// drained reports whether everything is done that the row wants to be.
func (r *row) drained(s *sums) bool {
	if r.open {
		return s.Pending[goodBucket] == 0
	}
	return s.Left == 0 && s.Open == 0
}

// judge looks for what should not be.
func (res *result) judge() {
	s := &res.tally.Sums
	wrong := func(n int, what string) {
		if n > 0 {
			res.problems = append(res.problems, fmt.Sprintf("%d %s", n, what))
		}
	}
	wrong(s.Lost, "events lost")
	wrong(s.Doubled, "documents doubled")
	wrong(s.DeletedEarly, "messages deleted early")
	wrong(s.Misplaced, "documents in a wrong index")
	wrong(s.Stale, "documents with an event.ingested long before they were accepted")
	wrong(s.Needless, "dead letters for no reason")
	if l := res.row.life; l.replicas < 2 && len(l.signals) == 0 { // another daemon has not heard of it
		wrong(s.TooSoon, "documents sent again before Retry-After")
	}
	res.judgeFaults()
	if res.peak > maxResident {
		res.problems = append(res.problems, fmt.Sprintf("a daemon took %d MiB", res.peak>>20))
	}
	if l := res.row.life; l.redeliver > 0 && float64(s.Redelivered) > l.redeliver*float64(s.Messages) {
		// The answer to a poll that a signal cuts off is lost with its messages, and a busy machine answers many such polls.
		res.blame("%d of %d messages were delivered again", s.Redelivered, s.Messages)
	}
	if res.row.check != nil {
		res.problems = append(res.problems, res.row.check(s)...)
	}
}
