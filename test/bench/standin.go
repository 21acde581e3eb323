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

// tally is what the stand-in has seen, as its /tally answers.
type tally struct {
	Stored       int       `json:"stored"`
	Duplicates   int       `json:"duplicates"`
	Requests     int       `json:"requests"`
	Deleted      int       `json:"deleted"`
	FirstReceive time.Time `json:"first_receive"`
}

const (
	queueName  = "bench"
	bucketName = "bench-logs"
)

// serve is the stand-in's process: it makes the objects, listens, prints its address and serves until it is killed.
func serve(ctx context.Context, dir string, objects, perObject int) error {
	samples, err := readSamples(dir)
	if err != nil {
		return err
	}
	bodies := makeObjects(samples, objects, perObject)

	var first, deleted atomic.Int64
	queues, buckets := standin.NewSQS(), standin.NewS3()
	cluster := &standin.Cluster{Counting: true, Version: "8.19.7"}
	queues.Observe = func(op string, entries int) {
		switch op {
		case "ReceiveMessage":
			first.CompareAndSwap(0, time.Now().UnixNano())
		case "DeleteMessageBatch":
			deleted.Add(int64(entries))
		}
	}
	queues.AddQueue(queueName, standin.QueueOptions{Visibility: time.Minute})
	for i, body := range bodies {
		key := objectKey(i)
		buckets.Put(bucketName, key, body)
		queues.Send(queueName, standin.Notice(bucketName, key, int64(len(body))))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/tally", func(w http.ResponseWriter, _ *http.Request) {
		stats := cluster.Stats()
		t := tally{Stored: stats.Stored, Duplicates: stats.Duplicates, Requests: stats.Requests, Deleted: int(deleted.Load())}
		if at := first.Load(); at > 0 {
			t.FirstReceive = time.Unix(0, at)
		}
		_ = json.NewEncoder(w).Encode(t)
	})
	mux.Handle("/cluster/", http.StripPrefix("/cluster", cluster))
	mux.Handle("/", standin.AWS(queues, buckets))
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "http://%s\n", l.Addr())
	return (&http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}).Serve(l)
}

func objectKey(i int) string {
	return fmt.Sprintf("AWSLogs/218007301253/CloudTrail/us-east-1/2023/07/10/218007301253_CloudTrail_us-east-1_20230710T1145Z_%s.json.gz",
		strings.ToUpper(fmt.Sprintf("%016x", i)))
}
