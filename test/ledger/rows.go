package main

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"
)

// allRows are the rows of the table. scale lengthens what is announced, for the long form; random is how long the row of
// that name lasts, 0 for the form's own time.
func allRows(scale int, random time.Duration, seed uint64) []*row {
	rows := slices.Concat(lifeRows(), itemRows(), answerRows(), indexRows(), s3Rows(), sqsRows(), accountRows(), mixedRows(), enrichedRows())
	for _, r := range rows {
		if r.fixed {
			continue
		}
		r.load.messages *= scale
		r.load.over *= time.Duration(scale)
		if r.life.until > 0 {
			r.life.until = r.load.over
		}
	}
	if random == 0 {
		random = 2 * time.Minute
		if scale > 1 {
			random = time.Hour
		}
	}
	return append(rows, randomRow(random, seed), soakRow(random, seed))
}

// steady is the load of most rows: 12,600 events in four indices.
func steady() load {
	return load{messages: 600, each: 20, over: 10 * time.Second, days: 4}
}

// over is steady for another time.
func over(d time.Duration) load {
	l := steady()
	l.over = d
	return l
}

// always is a fault of no end.
func always(k kind, rate float64) []fault { return []fault{{kind: k, rate: rate}} }

// soon is the visibility timeout where daemons are killed: what they held comes back after it.
const soon = 5 * time.Second

func lifeRows() []*row {
	kill, term := []os.Signal{syscall.SIGKILL}, []os.Signal{syscall.SIGTERM}
	second := time.Second
	return []*row{
		{
			name: "kill", load: over(20 * second), visibility: soon, bound: 60 * second,
			life: life{signals: kill, every: [2]time.Duration{second, 3 * second}, until: 20 * second},
		},
		{
			name: "terminate", load: over(20 * second), bound: 105 * second,
			life: life{signals: term, every: [2]time.Duration{2 * second, 2 * second}, until: 20 * second, redeliver: 0.1},
		},
		{
			name: "replicas", load: steady(), faults: always(kindTwice, 0.1), bound: 60 * second, life: life{replicas: 3},
		},
	}
}

func itemRows() []*row {
	return []*row{
		{name: "item-429", load: steady(), bound: 60 * time.Second, faults: []fault{{kind: kindItem, status: 429, rate: 0.2}}},
		{name: "item-503", load: steady(), bound: 60 * time.Second, faults: []fault{{kind: kindItem, status: 503, rate: 0.2}}},
		{
			name: "refused", load: steady(), bound: 60 * time.Second, faults: []fault{{kind: kindRefused, every: 100}},
			check: func(s *sums) []string {
				if want := (s.Events + 98) / 100; s.Letters != want {
					return []string{fmt.Sprintf("%d dead letters, want %d", s.Letters, want)}
				}
				return nil
			},
		},
		{
			name: "dead-letters-full", load: steady(), bound: 135 * time.Second,
			faults: []fault{{kind: kindRefused, every: 100}, {kind: kindFull, until: firstDelay}},
		},
		{
			name: "dead-letter-disk", load: steady(), bound: 180 * time.Second, more: extras{disk: "32k"},
			faults: []fault{{kind: kindRefused, every: 100}, {kind: kindFull, until: firstDelay}},
		},
	}
}

func answerRows() []*row {
	bulky := load{messages: 100, each: 50, over: time.Second / 2, days: 2, padding: 4000}
	return []*row{
		{name: "http-503", load: steady(), bound: 60 * time.Second, faults: []fault{{kind: kindHTTP, status: 503, rate: 0.1}}},
		{
			name: "retry-after", load: steady(), bound: 135 * time.Second,
			faults: []fault{{kind: kindHTTP, status: 429, retryAfter: 3, rate: 0.2}},
		},
		{name: "lost-answers", load: steady(), bound: 60 * time.Second, faults: always(kindLost, 0.05)},
		{name: "too-large", load: bulky, bound: 90 * time.Second, faults: always(kindTooLarge, 0)},
		{name: "cut-answers", load: steady(), bound: 60 * time.Second, faults: always(kindCut, 0.1)},
		{name: "one-item-short", load: steady(), bound: 60 * time.Second, faults: always(kindFewer, 0.1)},
		{name: "html", load: steady(), bound: 60 * time.Second, faults: always(kindHTML, 0.1)},
		{
			name: "away", load: over(15 * time.Second), bound: 60 * time.Second,
			faults: []fault{{kind: kindAway, from: 3 * time.Second, until: 23 * time.Second}},
		},
		{
			name: "unauthorized", load: steady(), bound: 135 * time.Second,
			faults: []fault{{kind: kindNoAccount, from: 3 * time.Second, until: 13 * time.Second}},
		},
		{
			name: "slow-work", visibility: 10 * time.Second, bound: 180 * time.Second,
			load:   load{messages: 60, each: 20, over: 2 * time.Second, days: 2},
			faults: []fault{{kind: kindSlow, delay: 25 * time.Second}},
			check: func(s *sums) []string {
				if s.Redelivered > 0 {
					return []string{fmt.Sprintf("%d messages were delivered again although nobody died", s.Redelivered)}
				}
				return nil
			},
		},
	}
}

func indexRows() []*row {
	daily := steady()
	daily.days = 10
	const sick, lifted, longest = 4, 20 * time.Second, time.Minute
	return []*row{
		{
			name: "no-room-for-shards", load: daily, bound: 135 * time.Second,
			faults: []fault{{kind: kindShards, until: lifted}},
		},
		{
			name: "one-index-read-only", load: daily, bound: 135 * time.Second, fixed: true,
			faults: []fault{{kind: kindReadOnly, day: sick, until: longest, whileOthersWait: true}},
			check: func(s *sums) (problems []string) {
				ill := indexOf(firstDay().AddDate(0, 0, sick))
				for index, last := range s.Last {
					if index != ill && last > longest.Seconds()-2 {
						problems = append(problems, fmt.Sprintf("%s waited for the read-only index until %.1f s", index, last))
					}
				}
				return problems
			},
		},
	}
}

func s3Rows() []*row {
	mixed := steady()
	mixed.buckets = []string{goodBucket, badBucket}
	return []*row{
		{name: "s3-503", load: steady(), bound: 135 * time.Second, faults: always(kindS3, 0.1)},
		{name: "s3-truncated", load: steady(), bound: 135 * time.Second, faults: always(kindTruncated, 0.05)},
		{name: "s3-slow", load: steady(), bound: 60 * time.Second, faults: []fault{{kind: kindSlowS3, delay: 2 * time.Second}}},
		{
			name: "s3-gone", load: steady(), bound: 135 * time.Second, faults: []fault{{kind: kindMissing, every: 20}},
			check: func(s *sums) []string {
				if s.Letters == 0 {
					return []string{"no dead letter names an object that is gone"}
				}
				return nil
			},
		},
		{name: "s3-elsewhere", load: mixed, bound: 60 * time.Second, faults: always(kindElsewhere, 0)},
		forbiddenRow(),
		bigRow(),
	}
}

// forbiddenRow forbids one bucket half-way. The other one must not notice.
func forbiddenRow() *row {
	const begins = 15
	l := load{messages: 1500, each: 20, over: 2 * begins * time.Second, days: 2, buckets: []string{goodBucket, badBucket}}
	return &row{
		name: "forbidden-bucket", load: l, bound: 60 * time.Second, open: true, fixed: true,
		faults: []fault{{kind: kindForbidden, bucket: badBucket, from: begins * time.Second}},
		check: func(s *sums) []string {
			const settle, length = 3, 10 // seconds
			slack := 0.25
			if s.Late > tooLate { // a pause at the end of ten seconds moves events into the next ones
				slack = 0.5
			}
			before, after := rate(s, goodBucket, settle, length), rate(s, goodBucket, begins+settle, length)
			if after < before*(1-slack) || after > before/(1-slack) {
				return []string{fmt.Sprintf("the other bucket's rate was %.0f events/s before and is %.0f", before, after)}
			}
			return nil
		},
	}
}

// rate is how many events of a bucket were stored each second, from a second on.
func rate(s *sums, bucket string, from, seconds int) float64 {
	rates, sum := s.Rates[bucket], 0
	for i := from; i < from+seconds && i < len(rates); i++ {
		sum += rates[i]
	}
	return float64(sum) / float64(seconds)
}

// bigRow has one object of 500 MB in front of small ones.
func bigRow() *row {
	l := load{messages: 200, each: 5, over: 4 * time.Second, days: 2, big: 8000, padding: 62_000}
	return &row{
		name: "big-object", load: l, bound: 270 * time.Second, faults: always(kindBig, 0),
		check: func(s *sums) []string {
			fed := 4 + int((2*s.Late).Round(time.Second)/time.Second) // a quick machine is done with the large one by then
			small, big := len(s.Rates[goodBucket]), len(s.Rates[bigBucket])
			if small >= big && small > fed+1 {
				return []string{fmt.Sprintf("small objects waited for the big one: until second %d of %d", small, big)}
			}
			return nil
		},
	}
}

func sqsRows() []*row {
	quick := steady()
	return []*row{
		{name: "sqs-500", load: quick, bound: 180 * time.Second, faults: always(kindSQS, 0.05)},
		{name: "sqs-entries", load: quick, bound: 180 * time.Second, faults: always(kindEntry, 0.3)},
		{name: "stale-handles", load: quick, bound: 60 * time.Second, faults: always(kindTwice, 0.3)},
		{
			name: "strays", load: load{messages: 100, each: 20, over: 2 * time.Second, days: 2}, bound: 60 * time.Second,
			faults: always(kindStray, 0), more: extras{strays: true},
		},
	}
}

func accountRows() []*row {
	return []*row{
		{
			name: "credentials", load: over(15 * time.Second), bound: 180 * time.Second,
			faults: always(kindExpired, 0), more: extras{credentials: 5 * time.Second},
		},
		{
			name: "clock", load: over(20 * time.Second), bound: 225 * time.Second,
			faults: always(kindClock, 0), more: extras{clock: true},
		},
		{
			name: "dns", load: over(15 * time.Second), bound: 225 * time.Second, more: extras{names: true},
			faults: []fault{{kind: kindNames, from: 4 * time.Second, until: 14 * time.Second}},
		},
	}
}

func mixedRows() []*row {
	second := time.Second
	return []*row{{
		name: "everything", load: over(25 * second), visibility: soon, bound: 240 * second,
		life: life{
			replicas: 3, signals: []os.Signal{syscall.SIGKILL, syscall.SIGTERM},
			every: [2]time.Duration{3 * second, 6 * second}, until: 25 * second,
		},
		faults: []fault{
			{kind: kindTwice, rate: 0.1},
			{kind: kindItem, status: 429, rate: 0.1},
			{kind: kindItem, status: 503, rate: 0.05},
			{kind: kindHTTP, status: 503, rate: 0.05},
			{kind: kindHTTP, status: 429, retryAfter: 1, rate: 0.05},
			{kind: kindLost, rate: 0.06},
			{kind: kindCut, rate: 0.06},
			{kind: kindFewer, rate: 0.06},
			{kind: kindHTML, rate: 0.06},
			{kind: kindRefused, every: 100},
			{kind: kindS3, rate: 0.05},
			{kind: kindTruncated, rate: 0.03},
			{kind: kindSlowS3, rate: 0.1, delay: second},
			{kind: kindMissing, every: 50},
			{kind: kindSQS, rate: 0.03},
			{kind: kindEntry, rate: 0.1},
			{kind: kindAway, from: 6 * second, until: 11 * second},
			{kind: kindNoAccount, from: 14 * second, until: 17 * second},
			{kind: kindShards, until: 4 * second},
			{kind: kindReadOnly, day: 1, from: 10 * second, until: 20 * second},
		},
	}}
}
