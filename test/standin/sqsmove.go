package standin

import (
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// move is what a message move task does: some messages a second from one queue to another. SQS.mu guards it.
type move struct {
	handle, from, to string
	rate             int
	began            time.Time
	total, moved     int
	status           string
}

// moveRequest is the input of the operations on message move tasks.
type moveRequest struct {
	SourceArn, DestinationArn, TaskHandle string
	MaxNumberOfMessagesPerSecond          int
}

// arnOf is a queue's ARN.
func arnOf(queue string) string { return "arn:aws:sqs:eu-west-1:111122223333:" + queue }

func queueOf(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }

// moveTask answers the operations on message move tasks and what belongs to them.
func (s *SQS) moveTask(w http.ResponseWriter, r *http.Request, op string, in *request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	switch op {
	case "StartMessageMoveTask":
		s.startMove(w, in.moveRequest)
	case "ListMessageMoveTasks":
		results := []map[string]any{}
		for _, m := range s.moves {
			if m.from == queueOf(in.SourceArn) {
				results = append([]map[string]any{m.result()}, results...)
			}
		}
		sqsJSON(w, map[string]any{"Results": results})
	case "CancelMessageMoveTask":
		for _, m := range s.moves {
			if m.handle == in.TaskHandle && m.status == "RUNNING" {
				m.status = "CANCELLED"
				sqsJSON(w, map[string]any{"ApproximateNumberOfMessagesMoved": m.moved})
				return
			}
		}
		sqsError(w, http.StatusBadRequest, "com.amazonaws.sqs#ResourceNotFoundException", "there is no such task running")
	case "ListDeadLetterSourceQueues":
		urls := []string{}
		for name, q := range s.queues {
			if q.options.DeadLetter == path.Base(in.QueueUrl) {
				urls = append(urls, "http://"+r.Host+"/111122223333/"+name)
			}
		}
		sqsJSON(w, map[string]any{"queueUrls": urls})
	}
}

func (s *SQS) startMove(w http.ResponseWriter, in moveRequest) {
	from := queueOf(in.SourceArn)
	q := s.queues[from]
	m := &move{
		handle: "task-" + strconv.Itoa(len(s.moves)+1), from: from, to: queueOf(in.DestinationArn),
		rate: in.MaxNumberOfMessagesPerSecond, began: time.Now(), status: "RUNNING",
	}
	if q == nil {
		sqsError(w, http.StatusNotFound, "com.amazonaws.sqs#ResourceNotFoundException", "there is no such queue")
		return
	}
	if in.DestinationArn == "" {
		m.to = ""
		for name, other := range s.queues {
			if other.options.DeadLetter == from {
				m.to = name
			}
		}
	}
	if s.queues[m.to] == nil {
		sqsError(w, http.StatusBadRequest, "InvalidParameterValue", "the queue is no dead-letter queue")
		return
	}
	m.total = len(q.live)
	s.moves = append(s.moves, m)
	sqsJSON(w, map[string]any{"TaskHandle": m.handle})
}

// advance moves what the running tasks have moved by now. The lock is held.
func (s *SQS) advance() {
	for _, m := range s.moves {
		from, to := s.queues[m.from], s.queues[m.to]
		for m.status == "RUNNING" && m.moved < 1+int(time.Since(m.began).Seconds()*float64(m.rate)) {
			if len(from.visible) == 0 {
				m.status = "COMPLETED"
				break
			}
			one := from.visible[0]
			from.visible = from.visible[1:]
			if one.gone || one.at >= 0 {
				continue
			}
			delete(from.live, one.id)
			one.receives = 0
			to.put(one)
			m.moved++
		}
	}
}

func (m *move) result() map[string]any {
	one := map[string]any{
		"SourceArn": arnOf(m.from), "Status": m.status, "StartedTimestamp": m.began.UnixMilli(),
		"ApproximateNumberOfMessagesMoved": m.moved, "ApproximateNumberOfMessagesToMove": m.total,
		"MaxNumberOfMessagesPerSecond": m.rate,
	}
	if m.status == "RUNNING" {
		one["TaskHandle"] = m.handle
	}
	return one
}
