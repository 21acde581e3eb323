package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/trailship/trailship/test/standin"
)

// scene is what the stand-in plays. It crosses to the stand-in's process as JSON.
type scene struct {
	Samples   string
	Objects   int
	PerObject int
	Offer     float64       // records a second that are announced; 0: all of them at once
	Untimed   bool          // nobody asks how long an offered record takes
	Forward   bool          // the cluster is another process: the stand-in has none
	BulkDelay time.Duration // before each answer of the cluster
	S3Delay   time.Duration // before each answer of S3
	ItemBusy  float64       // parts of documents answered with 429,
	BulkBusy  float64       // of bulk requests answered with 503,
	S3Busy    float64       // and of objects answered with 503
	Knees     []int         // bulk requests that are worked on at once; behind, answers take longer in proportion
	KneeFor   time.Duration // each
}

// tally is what the stand-in has seen, as its /tally answers.
type tally struct {
	Stored       int       `json:"stored"`
	Duplicates   int       `json:"duplicates"`
	Requests     int       `json:"requests"`
	Deleted      int       `json:"deleted"`
	Redelivered  int       `json:"redelivered"` // receipts of messages that were received before
	FirstReceive time.Time `json:"first_receive"`
	FirstBulk    time.Time `json:"first_bulk"`
	// InFlight is the time that bulk requests were under way, all of them added up: its growth in a second is how many
	// there were.
	InFlight time.Duration `json:"in_flight"`
	// Latency are the times from a notice being sent to its records being stored, sorted, of objects that were offered.
	Latency []time.Duration `json:"latency,omitempty"`
}

const (
	queueName  = "bench"
	bucketName = "bench-logs"
)

// play is the stand-in's process: it makes the objects, listens, prints its address and serves until it is killed.
func play(ctx context.Context, text string) error {
	var s scene
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	samples, err := readSamples(s.Samples)
	if err != nil {
		return err
	}
	bodies := makeObjects(samples, s.Objects, s.PerObject)

	var first, deleted, redelivered atomic.Int64
	queues, buckets := standin.NewSQS(), standin.NewS3()
	queues.Observe = func(op string, entries int) {
		switch op {
		case "ReceiveMessage":
			first.CompareAndSwap(0, time.Now().UnixNano())
		case "DeleteMessageBatch":
			deleted.Add(int64(entries))
		}
	}
	queues.Received = countRedelivered(&redelivered)
	queues.AddQueue(queueName, standin.QueueOptions{Visibility: time.Minute})
	clock := &clock{perObject: s.PerObject, sent: make([]atomic.Int64, s.Objects)}
	cluster, load := stageCluster(s, clock)
	buckets.Fault = s3Faults(s)
	send := func(i int) {
		clock.sent[i].Store(time.Now().UnixNano())
		queues.Send(queueName, standin.Notice(bucketName, objectKey(i), int64(len(bodies[i]))))
	}
	for i, body := range bodies {
		buckets.Put(bucketName, objectKey(i), body)
		if s.Offer == 0 {
			send(i)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/tally", func(w http.ResponseWriter, _ *http.Request) {
		stats := cluster.Stats()
		t := tally{Stored: stats.Stored, Duplicates: stats.Duplicates, Requests: stats.Requests, Deleted: int(deleted.Load())}
		t.Redelivered = int(redelivered.Load())
		t.FirstReceive, t.FirstBulk = moment(first.Load()), moment(load.first.Load())
		t.InFlight, t.Latency = load.total(), clock.latencies()
		_ = json.NewEncoder(w).Encode(t)
	})
	mux.HandleFunc("/request", load.kept)
	mux.Handle("/cluster/", http.StripPrefix("/cluster", load))
	mux.Handle("/", standin.AWS(queues, buckets))
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "http://%s\n", l.Addr())
	if s.Offer > 0 {
		go offer(ctx, s, send, func() bool { return first.Load() > 0 })
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	return server.Serve(l)
}

func countRedelivered(n *atomic.Int64) func(id string, receives int) {
	return func(_ string, receives int) {
		if receives > 1 {
			n.Add(1)
		}
	}
}

// offer announces the objects evenly, once somebody receives.
func offer(ctx context.Context, s scene, send func(int), begun func() bool) {
	for !begun() {
		if pause(ctx, 10*time.Millisecond) != nil {
			return
		}
	}
	start := time.Now()
	for i := range s.Objects {
		due := start.Add(time.Duration(float64(i*s.PerObject) / s.Offer * float64(time.Second)))
		if pause(ctx, time.Until(due)) != nil {
			return
		}
		send(i)
	}
}

func moment(nanoseconds int64) time.Time {
	if nanoseconds == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanoseconds)
}

func objectKey(i int) string {
	return fmt.Sprintf("AWSLogs/218007301253/CloudTrail/us-east-1/2023/07/10/218007301253_CloudTrail_us-east-1_20230710T1145Z_%s.json.gz",
		strings.ToUpper(fmt.Sprintf("%016x", i)))
}
