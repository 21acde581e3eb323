package main

import (
	"context"
	"time"
)

// feeder makes objects and announces them. One goroutine uses it.
type feeder struct {
	*world
	serial, made int
}

// feed announces the row's load, evenly over its time.
func (w *world) feed(ctx context.Context) {
	f, l := &feeder{world: w}, w.row.load
	if l.big > 0 {
		f.send(0, f.make(bigBucket, l.big, firstDay()))
	}
	w.awaitDaemon(ctx)
	now := time.Now()
	w.book.begin(now)
	w.began.Store(&now)
	if l.big > 0 {
		w.strike(kindBig, nil)
	}
	if w.row.more.strays {
		for _, s := range strays() {
			w.queues.SendNoted(queueName, s.body, func(id string) { w.book.send(id, &entry{keep: s.keep}) })
			w.strike(kindStray, nil)
		}
	}
	buckets := l.buckets
	if len(buckets) == 0 {
		buckets = []string{goodBucket}
	}
	for i := range l.messages {
		if pause(ctx, time.Until(now.Add(l.over*time.Duration(i)/time.Duration(l.messages)))) != nil {
			return
		}
		bucket, day := buckets[i%len(buckets)], firstDay().AddDate(0, 0, l.day(i))
		objects := []*object{f.make(bucket, l.size(i), day)}
		if i%10 == 9 { // two objects in one message
			objects = append(objects, f.make(bucket, max(1, l.size(i)/4), day))
		}
		f.send(i, objects...)
	}
	w.fed.Store(true)
}

// awaitDaemon waits until a daemon asks for messages: faults are to meet daemons that work, and one may need seconds for its
// start on a busy machine. One that does not come will be missed.
func (w *world) awaitDaemon(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	select {
	case <-w.asked:
	case <-ctx.Done():
	}
}

// make puts an object into its bucket, unless the row wants it to be gone.
func (f *feeder) make(bucket string, count int, day time.Time) *object {
	o := makeObject(bucket, f.made, f.serial, count, day)
	if f.row.load.big == 0 || bucket == bigBucket {
		o.padding = f.row.load.padding
	}
	f.serial += count
	f.made++
	f.book.announce(o, f.lacks(f.made))
	if !f.lacks(f.made) {
		body := o.body()
		o.size = len(body)
		f.buckets.Put(o.bucket, o.key, body)
	}
	return o
}

// lacks reports whether the n-th object is gone for good.
func (f *feeder) lacks(n int) bool {
	for _, fault := range f.row.faults {
		if fault.kind == kindMissing && fault.every > 0 && n%fault.every == 0 {
			return true
		}
	}
	return false
}

func (f *feeder) send(n int, objects ...*object) {
	body := notice(n, objects)
	f.queues.SendNoted(queueName, body, func(id string) { f.book.send(id, &entry{objects: objects}) })
}

// pause waits for d, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
