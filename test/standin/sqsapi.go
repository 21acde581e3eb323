package standin

import (
	"bytes"
	"crypto/md5" //nolint:gosec // SQS's own checksum
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// request is every operation's input.
type request struct {
	QueueUrl, QueueName, MessageBody, ReceiptHandle string //nolint:revive // SQS's names
	MaxNumberOfMessages, WaitTimeSeconds            int
	VisibilityTimeout                               *int
	Entries                                         []requestEntry
	moveRequest
}

type requestEntry struct {
	Id, ReceiptHandle string //nolint:revive // SQS's names
	VisibilityTimeout int
}

// ServeHTTP answers one request.
func (s *SQS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, op, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "AmazonSQS.")
	var in request
	if !ok || json.NewDecoder(r.Body).Decode(&in) != nil {
		sqsError(w, http.StatusBadRequest, "InvalidAction", "this is no request of SQS's JSON protocol")
		return
	}
	var fault *SQSFault
	if s.Fault != nil {
		fault = s.Fault(op)
	}
	if fault != nil {
		wait(r, fault.Delay)
		if fault.Status != 0 {
			sqsError(w, fault.Status, fault.Code, "a fault was ordered")
			return
		}
	}
	if s.Observe != nil {
		s.Observe(op, max(1, len(in.Entries)))
	}
	if strings.Contains(op, "MessageMoveTask") && s.NoMoves {
		sqsError(w, http.StatusBadRequest, "com.amazonaws.sqs#UnsupportedOperation", "the service does not know "+op)
		return
	}
	if strings.Contains(op, "MessageMoveTask") || op == "ListDeadLetterSourceQueues" {
		s.moveTask(w, r, op, &in)
		return
	}
	s.mu.Lock()
	q := s.queues[path.Base(in.QueueUrl+in.QueueName)]
	s.mu.Unlock()
	if q == nil {
		w.Header().Set("X-Amzn-Query-Error", "AWS.SimpleQueueService.NonExistentQueue;Sender")
		sqsError(w, http.StatusBadRequest, "com.amazonaws.sqs#QueueDoesNotExist", "The specified queue does not exist.")
		return
	}
	s.answer(w, r, op, &in, q, fault)
}

func (s *SQS) answer(w http.ResponseWriter, r *http.Request, op string, in *request, q *simQueue, fault *SQSFault) { //nolint:revive // all that a request is
	single := []requestEntry{{ReceiptHandle: in.ReceiptHandle}}
	if in.VisibilityTimeout != nil {
		single[0].VisibilityTimeout = *in.VisibilityTimeout
	}
	switch op {
	case "ReceiveMessage":
		s.receive(w, r, in, q)
	case "SendMessage":
		id := s.Send(path.Base(in.QueueUrl), in.MessageBody)
		sum := md5.Sum([]byte(in.MessageBody)) //nolint:gosec // SQS's own checksum
		sqsJSON(w, map[string]any{"MessageId": id, "MD5OfMessageBody": hex.EncodeToString(sum[:])})
	case "DeleteMessage":
		s.batch(nil, single, nil, q.deleteEntry(s))
		sqsJSON(w, map[string]any{})
	case "DeleteMessageBatch":
		s.batch(w, in.Entries, fault, q.deleteEntry(s))
	case "ChangeMessageVisibility":
		if _, code := q.changeEntry(s)(single[0]); code != "" {
			sqsError(w, http.StatusBadRequest, code, "the handle is no good")
			return
		}
		sqsJSON(w, map[string]any{})
	case "ChangeMessageVisibilityBatch":
		s.batch(w, in.Entries, fault, q.changeEntry(s))
	case "GetQueueUrl":
		sqsJSON(w, map[string]any{"QueueUrl": "http://" + r.Host + "/111122223333/" + in.QueueName})
	case "GetQueueAttributes":
		visible, inFlight := s.Depth(path.Base(in.QueueUrl))
		sqsJSON(w, map[string]any{"Attributes": map[string]string{
			"ApproximateNumberOfMessages":           strconv.Itoa(visible),
			"ApproximateNumberOfMessagesNotVisible": strconv.Itoa(inFlight),
			"VisibilityTimeout":                     strconv.Itoa(int(q.options.Visibility / time.Second)),
			"QueueArn":                              arnOf(path.Base(in.QueueUrl)),
		}})
	default:
		sqsError(w, http.StatusBadRequest, "UnsupportedOperation", "the stand-in does not know "+op)
	}
}

// batch answers entry by entry. A nil w wants no answer.
func (s *SQS) batch(w http.ResponseWriter, entries []requestEntry, fault *SQSFault, do func(requestEntry) (sender bool, code string)) {
	var good, bad []map[string]any
	for i, e := range entries {
		sender, code := false, ""
		if fault != nil && fault.Entry != "" && i%max(1, fault.Every) == 0 {
			sender, code = fault.Sender, fault.Entry
		} else {
			sender, code = do(e)
		}
		if code == "" {
			good = append(good, map[string]any{"Id": e.Id})
			continue
		}
		bad = append(bad, map[string]any{"Id": e.Id, "Code": code, "SenderFault": sender, "Message": "the entry failed"})
	}
	if w != nil {
		sqsJSON(w, map[string]any{"Successful": good, "Failed": bad})
	}
}

// deleteEntry deletes by a handle. A stale one succeeds and deletes nothing, as on a standard queue.
func (q *simQueue) deleteEntry(s *SQS) func(requestEntry) (bool, string) {
	return func(e requestEntry) (bool, string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		id, count, ok := parseHandle(e.ReceiptHandle)
		if !ok {
			return true, "ReceiptHandleIsInvalid"
		}
		if m := q.live[id]; m != nil && m.receives == count {
			q.remove(m)
			q.deleted = append(q.deleted, id)
			if s.Removed != nil {
				s.Removed(id)
			}
		}
		return false, ""
	}
}

const maxInvisible = 12 * time.Hour

// changeEntry sets a message's visibility by a handle, which must be the one of its last receipt.
func (q *simQueue) changeEntry(s *SQS) func(requestEntry) (bool, string) {
	return func(e requestEntry) (bool, string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		q.wake(time.Now())
		id, count, ok := parseHandle(e.ReceiptHandle)
		m := q.live[id]
		timeout := time.Duration(e.VisibilityTimeout) * time.Second
		switch {
		case !ok:
			return true, "ReceiptHandleIsInvalid"
		case m == nil || m.receives != count || m.at < 0:
			return true, "AWS.SimpleQueueService.MessageNotInflight"
		case timeout < 0 || timeout > maxInvisible:
			return true, "InvalidParameterValue"
		}
		if most := q.options.MaxInvisible; most > 0 {
			timeout = min(timeout, most)
		}
		q.hide(m, timeout)
		return false, ""
	}
}

func parseHandle(handle string) (id string, count int, ok bool) {
	id, number, ok := strings.Cut(handle, "#")
	count, err := strconv.Atoi(number)
	return id, count, ok && err == nil
}

// receive answers with messages, waiting for the first one as long as the poll may.
func (s *SQS) receive(w http.ResponseWriter, r *http.Request, in *request, q *simQueue) {
	visibility := q.options.Visibility
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	deadline := time.Now().Add(time.Duration(in.WaitTimeSeconds) * time.Second)
	for {
		answer, changed, next := s.take(q, max(1, min(in.MaxNumberOfMessages, 10)), visibility)
		left := time.Until(deadline)
		if answer != nil || left <= 0 {
			w.Header().Set("Content-Type", sqsContent)
			_, _ = w.Write(append(append([]byte(`{"Messages":[`), answer...), "]}"...))
			return
		}
		timer := time.NewTimer(min(left, next))
		select {
		case <-changed:
		case <-timer.C:
		case <-r.Context().Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// take makes up to n messages invisible and returns them as JSON, nil when there are none; then changed and next say when
// it is worth asking again.
func (s *SQS) take(q *simQueue, n int, visibility time.Duration) (answer []byte, changed <-chan struct{}, next time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	q.wake(now)
	for n > 0 && len(q.visible) > 0 {
		m := q.visible[0]
		q.visible[0] = nil
		q.visible = q.visible[1:]
		if m.gone || m.at >= 0 {
			continue
		}
		if limit := q.options.MaxReceive; limit > 0 && m.receives >= limit {
			delete(q.live, m.id)
			m.receives = 0
			s.queues[q.options.DeadLetter].put(m)
			continue
		}
		if m.receives++; m.receives == 1 {
			m.first = now
		}
		if s.Received != nil {
			s.Received(m.id, m.receives)
		}
		n--
		answer = appendMessage(answer, m)
		if s.Twice != nil && s.Twice(m.id) {
			q.show(m)
			continue
		}
		q.hide(m, visibility)
	}
	next = time.Hour
	if len(q.flight) > 0 {
		next = q.flight[0].until.Sub(now)
	}
	return answer, q.changed, next
}

func appendMessage(dst []byte, m *simMessage) []byte {
	if dst != nil {
		dst = append(dst, ',')
	}
	dst = append(dst, `{"MessageId":"`...)
	dst = append(dst, m.id...)
	dst = append(dst, `","ReceiptHandle":"`...)
	dst = append(dst, m.id...)
	dst = append(dst, '#')
	dst = strconv.AppendInt(dst, int64(m.receives), 10)
	dst = append(dst, `","MD5OfBody":"`...)
	dst = append(dst, m.md5...)
	dst = append(dst, `","Body":`...)
	dst = append(dst, m.quoted...)
	dst = append(dst, `,"Attributes":{"ApproximateReceiveCount":"`...)
	dst = strconv.AppendInt(dst, int64(m.receives), 10)
	dst = append(dst, `","SentTimestamp":"`...)
	dst = strconv.AppendInt(dst, m.sent.UnixMilli(), 10)
	dst = append(dst, `","ApproximateFirstReceiveTimestamp":"`...)
	dst = strconv.AppendInt(dst, m.first.UnixMilli(), 10)
	return append(dst, `"}}`...)
}

const sqsContent = "application/x-amz-json-1.0"

func sqsJSON(w http.ResponseWriter, answer map[string]any) {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(answer); err != nil {
		panic(err) // strings and numbers always can be
	}
	w.Header().Set("Content-Type", sqsContent)
	_, _ = w.Write(b.Bytes())
}

func sqsError(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", sqsContent)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": message})
}

// wait waits for d, or until the client is gone.
func wait(r *http.Request, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	}
}

// AWS serves SQS and S3 at one address, as emulators of AWS do, so that one endpoint URL is enough.
func AWS(queues *SQS, objects *S3) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") != "" {
			queues.ServeHTTP(w, r)
			return
		}
		objects.ServeHTTP(w, r)
	})
}
