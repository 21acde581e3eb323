package main

import (
	"math/rand/v2"
	"os"
	"time"
)

// A row is one kind of trouble and what is expected of the daemon in it.
type row struct {
	name   string
	load   load
	faults []fault
	life   life
	// bound is how long the queue may take to become empty once the last trouble is over and all messages are sent. It is
	// there for daemons that are stuck, and several times what a busy machine needs.
	bound      time.Duration
	visibility time.Duration // 0: 30 s
	settings   string        // further sections of the daemon's configuration
	// check looks at what is particular to the row and says what is wrong.
	check func(s *sums) []string
	// open says that messages may be left in the queue at the end, with their events.
	open bool
	// fixed says that the row is the same in the long form.
	fixed bool
	// asked says that the row is played only when its name is given.
	asked bool
	// chance says that the faults are so short that some may meet nobody.
	chance bool
	// more is what the row needs beside the load: a place for the stand-in's and the daemon's process.
	more extras
}

// extras are what only some rows need.
type extras struct {
	strays      bool          // messages that are no notices of log files
	credentials time.Duration // lifetime of the access keys; 0: one key that lives for ever
	names       bool          // the daemon finds the stand-in by name
	clock       bool          // the daemon's clock is stepped
	disk        string        // size of a file system for the dead letters while kindFull lasts; "": they go to the index
}

// load is what is announced, evenly over a time.
type load struct {
	messages int
	each     int           // events of an object
	sizes    []int         // events of the objects of one message after the other, in turn; nil: each
	over     time.Duration // 0: all at once
	days     int           // each day has an index
	rolling  bool          // the days begin one after the other, two at a time
	buckets  []string      // in turn
	padding  int           // bytes in each event that carry nothing
	big      int           // events of one object that comes first, alone in the bucket bigBucket
}

// day is the day of the n-th message's objects.
func (l *load) day(n int) int {
	if l.rolling {
		return n*(l.days-1)/l.messages + n%2
	}
	return n % max(l.days, 1)
}

// size is how many events the n-th message's object has.
func (l *load) size(n int) int {
	if len(l.sizes) == 0 {
		return l.each
	}
	return l.sizes[n%len(l.sizes)]
}

// life is what happens to the daemons.
type life struct {
	replicas  int              // 0: one
	signals   []os.Signal      // each time one of them; none: the daemons are left alone
	every     [2]time.Duration // between two signals to each daemon, from and to
	until     time.Duration
	redeliver float64 // the share of messages that may be received again; 0: any
}

// fault is one kind of trouble for a while.
type fault struct {
	kind        kind
	from, until time.Duration // since the first message was announced; until 0: to the end
	rate        float64       // of the requests, documents or messages that meet it; 0: all
	status      int           // of kindHTTP and kindItem
	retryAfter  int           // seconds, of kindHTTP
	delay       time.Duration // of slow answers
	bucket      string        // of faults in S3; "": any
	day         int           // of kindReadOnly without every
	every       int           // of kindRefused, kindMissing and kindReadOnly: each n-th event, object or day
	// whileOthersWait ends a kindReadOnly as soon as all messages are sent and no event of another index is open.
	whileOthersWait bool
}

// A kind is what happens.
type kind string

// What happens at the cluster.
const (
	kindHTTP      kind = "cluster answers with an error"
	kindSlow      kind = "cluster is slow"
	kindLost      kind = "answer lost after the write"
	kindCut       kind = "answer cut short"
	kindFewer     kind = "answer one item short"
	kindHTML      kind = "a proxy answers in HTML"
	kindAway      kind = "cluster away"
	kindTooLarge  kind = "413"
	kindItem      kind = "item refused for now"
	kindRefused   kind = "document refused for good"
	kindShards    kind = "no room for new shards"
	kindReadOnly  kind = "index read-only"
	kindFull      kind = "place of dead letters full"
	kindNoAccount kind = "401"
)

// What happens at AWS, and on the way there.
const (
	kindSQS       kind = "sqs answers 500"
	kindEntry     kind = "sqs entry fails"
	kindTwice     kind = "message delivered twice"
	kindS3        kind = "s3 answers 503"
	kindTruncated kind = "object truncated"
	kindSlowS3    kind = "s3 is slow"
	kindMissing   kind = "object is gone"
	kindElsewhere kind = "bucket in another region"
	kindForbidden kind = "bucket forbidden"
	kindExpired   kind = "access key expired"
	kindNames     kind = "dns fails"
	kindStray     kind = "stray message"
	kindSignal    kind = "daemon killed"
	kindBig       kind = "object of 500 MB"
	kindClock     kind = "clock stepped"
	kindIAM       kind = "iam fails"
	kindSlowIAM   kind = "iam is slow"
)

// Names of buckets.
const (
	goodBucket = "audit"
	badBucket  = "audit-other"
	bigBucket  = "audit-big"
)

// lasts is when the last trouble of the row is over, counted from the first message; one that lasts while others wait apart.
func (r *row) lasts() time.Duration {
	end := max(r.load.over, r.life.until)
	for _, f := range r.faults {
		if !f.whileOthersWait {
			end = max(end, f.until)
		}
	}
	return end
}

// source is the randomness of one part of a row.
func (r *row) source(seed uint64, part string) *rand.Rand {
	h := uint64(14695981039346656037) // FNV-1a
	for _, c := range []byte(r.name + "/" + part) {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, h)) //nolint:gosec // it must come out the same for the same seed
}
