package main

import (
	"math/rand/v2"
	"os"
	"syscall"
	"time"
)

// randomRow is a schedule of faults for a time, which follows from the seed alone.
func randomRow(length time.Duration, seed uint64) *row {
	const eachSecond = 15
	r := &row{
		name: "random", visibility: 3 * soon, bound: 6 * time.Minute, chance: true,
		load: load{
			messages: eachSecond * int(length/time.Second), each: 20, over: length,
			days: max(6, int(length/(10*time.Second))), rolling: true, buckets: []string{goodBucket, badBucket},
		},
		life: life{
			replicas: 3, signals: []os.Signal{syscall.SIGKILL, syscall.SIGTERM},
			every: [2]time.Duration{2 * time.Second, 30 * time.Second}, until: length,
		},
	}
	r.faults = schedule(r.source(seed, "schedule"), length, 500*time.Millisecond)
	return r
}

// soakRow is one daemon that lives through all of it, under objects of one to two thousand events and a fault every now
// and then. Somebody has to ask for it: test/soak does, and looks at the daemon meanwhile.
func soakRow(length time.Duration, seed uint64) *row {
	const eachSecond = 5
	r := &row{
		name: "soak", visibility: 3 * soon, bound: 6 * time.Minute, chance: true, asked: true,
		load: load{
			messages: eachSecond * int(length/time.Second), over: length, buckets: []string{goodBucket, badBucket},
			sizes: []int{1, 20, 1, 53, 1, 200, 1, 20, 53, 1, 1, 20, 1, 53, 1, 2000},
			days:  max(6, int(length/time.Minute)), rolling: true,
		},
	}
	r.faults = schedule(r.source(seed, "schedule"), length, 10*time.Second)
	return r
}

// schedule is a fault each time that the least pause, or up to six of it, has gone by.
func schedule(dice *rand.Rand, length, least time.Duration) (faults []fault) {
	possible := randomFaults()
	for at := time.Second; at < length-10*time.Second; at += least + time.Duration(dice.Int64N(int64(5*least))) {
		f := possible[dice.IntN(len(possible))]
		f.from = at
		f.until = min(length, at+time.Second+time.Duration(dice.Int64N(int64(longest(f.kind)))))
		if f.rate > 0 {
			f.rate *= 0.2 + dice.Float64()
		}
		faults = append(faults, f)
	}
	return append(faults, endless(dice)...)
}

// firstDelay is at least how long the daemon puts off a message that failed once.
const firstDelay = 7 * time.Second

// endless are faults whose events are known from the beginning.
func endless(dice *rand.Rand) []fault {
	return []fault{{kind: kindRefused, every: 50 + dice.IntN(100)}, {kind: kindMissing, every: 30 + dice.IntN(100)}}
}

// longest is how long a fault of this kind may last.
func longest(k kind) time.Duration {
	switch k {
	case kindAway, kindNoAccount, kindShards, kindReadOnly:
		return 15 * time.Second
	case kindFull:
		return firstDelay - time.Second
	}
	return 8 * time.Second
}

// randomFaults are what may happen, with the middle of their likelihood.
func randomFaults() []fault {
	return []fault{
		{kind: kindHTTP, status: 503, rate: 0.3},
		{kind: kindHTTP, status: 429, retryAfter: 2, rate: 0.3},
		{kind: kindHTTP, status: 502, rate: 0.3},
		{kind: kindSlow, rate: 0.3, delay: 3 * time.Second},
		{kind: kindLost, rate: 0.2},
		{kind: kindCut, rate: 0.2},
		{kind: kindFewer, rate: 0.2},
		{kind: kindHTML, rate: 0.2},
		{kind: kindAway},
		{kind: kindNoAccount},
		{kind: kindShards},
		{kind: kindItem, status: 429, rate: 0.3},
		{kind: kindItem, status: 503, rate: 0.3},
		{kind: kindItem, status: 500, rate: 0.1},
		{kind: kindReadOnly, every: 2},
		{kind: kindReadOnly, every: 5},
		{kind: kindFull},
		{kind: kindSQS, rate: 0.2},
		{kind: kindEntry, rate: 0.3},
		{kind: kindTwice, rate: 0.2},
		{kind: kindS3, rate: 0.2},
		{kind: kindTruncated, rate: 0.2},
		{kind: kindSlowS3, rate: 0.3, delay: 2 * time.Second},
	}
}
