package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/trailship/trailship/test/standin"
)

// kneeBase is what an answer takes of a cluster with a knee, while it has no more requests than it works on at once.
const kneeBase = 100 * time.Millisecond

// clusterLoad is the stand-in's cluster behind what makes it slow, and counts the requests under way.
type clusterLoad struct {
	http.Handler
	scene scene
	first atomic.Int64

	mu    sync.Mutex
	body  []byte // of the last request to a cluster with knees
	now   int
	since time.Time
	sum   time.Duration
}

// stageCluster makes the cluster of a scene.
func stageCluster(s scene, c *clock) (*standin.Cluster, *clusterLoad) {
	cluster := &standin.Cluster{Counting: true, Version: "8.19.7"}
	cluster.Fault = func(r *http.Request) *standin.ClusterFault {
		if strings.HasSuffix(r.URL.Path, "_bulk") && rand.Float64() < s.BulkBusy {
			return &standin.ClusterFault{Status: http.StatusServiceUnavailable}
		}
		return nil
	}
	timed := s.Offer > 0 && !s.Untimed
	if s.ItemBusy > 0 || timed {
		cluster.Item = func(_ string, id, _ []byte) *standin.ItemFault {
			if rand.Float64() < s.ItemBusy {
				return &standin.ItemFault{Status: http.StatusTooManyRequests, Type: "es_rejected_execution_exception", Reason: "the queue is full"}
			}
			if timed {
				c.stored(id)
			}
			return nil
		}
	}
	return cluster, &clusterLoad{Handler: cluster, scene: s, since: time.Now()}
}

func s3Faults(s scene) func(method, bucket, key string) *standin.S3Fault {
	return func(string, string, string) *standin.S3Fault {
		f := &standin.S3Fault{Delay: s.S3Delay}
		if rand.Float64() < s.S3Busy {
			f.Status, f.Code, f.Message = http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate."
		}
		return f
	}
}

func (l *clusterLoad) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "_bulk") {
		l.Handler.ServeHTTP(w, r)
		return
	}
	l.first.CompareAndSwap(0, time.Now().UnixNano())
	if len(l.scene.Knees) > 0 {
		l.keep(r)
	}
	under := l.change(1)
	defer l.change(-1)
	_ = pause(r.Context(), l.delay(under))
	l.Handler.ServeHTTP(w, r)
}

// keep keeps a request's body, for whoever wants to send it again.
func (l *clusterLoad) keep(r *http.Request) {
	body, _ := io.ReadAll(r.Body) // a body cut short is the cluster's to refuse
	r.Body = io.NopCloser(bytes.NewReader(body))
	l.mu.Lock()
	defer l.mu.Unlock()
	l.body = body
}

// kept answers with the last request's body.
func (l *clusterLoad) kept(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = w.Write(l.body)
}

// delay is how long a request waits that is one of so many.
func (l *clusterLoad) delay(under int) time.Duration {
	if len(l.scene.Knees) == 0 {
		return l.scene.BulkDelay
	}
	passed := time.Since(moment(l.first.Load()))
	knee := l.scene.Knees[min(int(passed/l.scene.KneeFor), len(l.scene.Knees)-1)]
	return kneeBase * time.Duration(max(under, knee)) / time.Duration(knee)
}

func (l *clusterLoad) change(by int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.sum += time.Duration(l.now) * now.Sub(l.since)
	l.now, l.since = l.now+by, now
	return l.now
}

func (l *clusterLoad) total() time.Duration {
	l.change(0)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sum
}

// clock measures from the notice of an object being sent to its records being stored.
type clock struct {
	perObject int
	sent      []atomic.Int64

	mu   sync.Mutex
	took []time.Duration
}

// stored notes a document by its id, which ends in the record's serial number.
func (c *clock) stored(id []byte) {
	serial, err := strconv.ParseInt(string(id[len(id)-12:]), 16, 64)
	if err != nil {
		return
	}
	sent := moment(c.sent[int(serial)/c.perObject].Load())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took = append(c.took, time.Since(sent))
}

func (c *clock) latencies() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := slices.Clone(c.took)
	slices.Sort(all)
	return all
}
