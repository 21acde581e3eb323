package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/trailship/trailship/test/standin"
)

// hookCluster puts the row's faults into the cluster.
func (w *world) hookCluster() {
	c := w.cluster
	c.Fault = w.clusterFault
	c.Item = w.itemFault
	c.NewIndex = func(string) *standin.ItemFault {
		if w.strike(kindShards, nil) == nil {
			return nil
		}
		return &standin.ItemFault{
			Status: http.StatusBadRequest, Type: "validation_exception",
			Reason: "Validation Failed: 1: this action would add [2] shards, but this cluster currently has [1000]/[1000] maximum normal shards open;",
		}
	}
	c.Stored = w.book.store
	if w.has(kindTooLarge) {
		c.MaxBytes = 1 << 20
	}
}

// clusterFault is what happens to a request as a whole.
func (w *world) clusterFault(r *http.Request) *standin.ClusterFault {
	if w.strike(kindNoAccount, nil) != nil {
		return &standin.ClusterFault{
			Status: http.StatusUnauthorized,
			Body:   `{"error":{"type":"security_exception","reason":"unable to authenticate user [trailship] for REST request [/_bulk]"},"status":401}`,
		}
	}
	if !strings.HasSuffix(r.URL.Path, "/_bulk") {
		return nil
	}
	var c standin.ClusterFault
	if f := w.strike(kindSlow, nil); f != nil {
		c.Delay = f.delay
	}
	if f := w.strike(kindHTTP, nil); f != nil {
		c.Status = f.status
		if f.retryAfter > 0 {
			c.RetryAfter = strconv.Itoa(f.retryAfter)
			w.noteWait(r, time.Duration(f.retryAfter)*time.Second)
		}
		return &c
	}
	if w.strike(kindHTML, nil) != nil {
		return w.html()
	}
	c.Lose = w.strike(kindLost, nil) != nil
	c.CutAnswer = !c.Lose && w.strike(kindCut, nil) != nil
	c.DropItem = !c.Lose && !c.CutAnswer && w.strike(kindFewer, nil) != nil
	return &c
}

// html is the answer of a proxy in front of the cluster: an error, or a page that says so with 200.
func (w *world) html() *standin.ClusterFault {
	status := http.StatusBadGateway
	if w.roll(1.0 / 2) {
		status = http.StatusOK
	}
	return &standin.ClusterFault{Status: status, Body: "<html><body><h1>502 Bad Gateway</h1></body></html>"}
}

// itemFault is what happens to one document. The cluster's lock is held.
func (w *world) itemFault(index string, _, doc []byte) *standin.ItemFault {
	if index == deadLetters {
		if w.strike(kindFull, nil) == nil {
			return nil
		}
		return &standin.ItemFault{
			Status: http.StatusTooManyRequests, Type: "cluster_block_exception",
			Reason: "index [" + index + "] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];",
		}
	}
	serial := serialIn(doc)
	if w.strike(kindReadOnly, func(f *fault) bool { return w.readOnly(f, index, serial) }) != nil {
		return &standin.ItemFault{
			Status: http.StatusForbidden, Type: "cluster_block_exception",
			Reason: "index [" + index + "] blocked by: [FORBIDDEN/8/index write (api)];",
		}
	}
	if w.strike(kindRefused, func(f *fault) bool { return serial >= 0 && serial%f.every == 1 }) != nil {
		return &standin.ItemFault{
			Status: http.StatusBadRequest, Type: "mapper_parsing_exception",
			Reason: fmt.Sprintf("failed to parse field [aws.cloudtrail.flattened] of type [flattened] in document %d", serial),
		}
	}
	f := w.strike(kindItem, nil)
	switch {
	case f == nil:
		return nil
	case f.status == http.StatusTooManyRequests:
		return &standin.ItemFault{Status: f.status, Type: "es_rejected_execution_exception", Reason: "rejected execution of primary operation"}
	}
	return &standin.ItemFault{Status: f.status, Type: "unavailable_shards_exception", Reason: "[" + index + "][0] primary shard is not active"}
}

// readOnly reports whether the index is the one, or one of those, that a fault makes read-only.
func (w *world) readOnly(f *fault, index string, serial int) bool {
	day := firstDay().AddDate(0, 0, f.day)
	if f.every > 0 {
		if day = w.book.dayOf(serial); day.YearDay()%f.every != 0 {
			return false
		}
	}
	return index == indexOf(day)
}

// refused reports whether a row may refuse an event for good.
func (w *world) refused(serial int) bool {
	for _, f := range w.row.faults {
		if f.kind == kindRefused && serial%f.every == 1 {
			return true
		}
	}
	return false
}

// noteWait enters into the book that the events of a request must not come again before d has passed.
func (w *world) noteWait(r *http.Request, d time.Duration) {
	until := time.Now().Add(d)
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			return
		}
		if body, err = io.ReadAll(z); err != nil {
			return
		}
	}
	for line := range bytes.Lines(body) {
		w.book.wait(serialIn(line), until)
	}
}

// search is the cluster, unless it is away.
func (w *world) search() http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.strike(kindAway, nil) != nil {
			panic(http.ErrAbortHandler)
		}
		w.cluster.ServeHTTP(&watched{ResponseWriter: rw, said: func(status int) {
			if status == http.StatusRequestEntityTooLarge {
				w.strike(kindTooLarge, nil)
			}
		}}, r)
	})
}

// watched is a ResponseWriter that tells the status of its answer.
type watched struct {
	http.ResponseWriter
	said func(status int)
}

func (w *watched) WriteHeader(status int) {
	w.said(status)
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// door is a listener that turns everybody away while it is shut.
type door struct {
	net.Listener
	shut func() bool
}

// Accept returns the next connection that is let in.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil || !d.shut() {
			return c, err
		}
		if t, ok := c.(*net.TCPConn); ok {
			_ = t.SetLinger(0) // a reset, as of a port where nobody listens
		}
		_ = c.Close()
	}
}
