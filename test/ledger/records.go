package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"time"
)

// mark begins the text that every record carries as its requestID: eight digits follow, the event's serial number. The book
// knows an event by it wherever it turns up.
const mark = "LDGR"

const markDigits = 8

func markOf(serial int) string { return fmt.Sprintf("%s%0*d", mark, markDigits, serial) }

// serialIn finds the event that a document or a record is about, -1 for none.
func serialIn(text []byte) int {
	for {
		at := bytes.Index(text, []byte(mark))
		if at < 0 || len(text) < at+len(mark)+markDigits {
			return -1
		}
		text = text[at+len(mark):]
		serial := 0
		for _, c := range text[:markDigits] {
			if c < '0' || c > '9' {
				serial = -1
				break
			}
			serial = serial*10 + int(c-'0')
		}
		if serial >= 0 {
			return serial
		}
	}
}

// firstDay is the day of the first object. Its year is far from any clock, so that a document whose index was named after
// the clock is found out.
func firstDay() time.Time { return time.Date(2024, 2, 27, 0, 0, 0, 0, time.UTC) }

// An object is a log file: count events, the first with the serial number from.
type object struct {
	bucket, key string
	from, count int
	day         time.Time
	padding     int  // bytes of each record that carry nothing
	size        int  // bytes of the body, as notices tell; 0 while it has none
	sent        bool // a message has named it; the book's lock guards it
}

// makeObject names the n-th object.
func makeObject(bucket string, n, from, count int, day time.Time) *object {
	date := day.Format("2006/01/02")
	return &object{
		bucket: bucket, from: from, count: count, day: day,
		key: fmt.Sprintf("AWSLogs/111122223333/CloudTrail/eu-west-1/%s/111122223333_CloudTrail_eu-west-1_%sT2355Z_%016X.json.gz",
			date, strings.ReplaceAll(date, "/", ""), n),
	}
}

// body is the object's content.
func (o *object) body() []byte {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	padding := strings.Repeat("/arn:aws:iam::111122223333:role/audit", o.padding/37)
	_, _ = z.Write([]byte(`{"Records":[`)) // a bytes.Buffer takes everything
	for i := range o.count {
		if i > 0 {
			_, _ = z.Write([]byte{','})
		}
		_, _ = z.Write([]byte(record(o.from+i, o.day, padding)))
	}
	_, _ = z.Write([]byte(`]}`))
	_ = z.Close()
	return packed.Bytes()
}

// Of sixteen records one has no eventID, one no eventTime, and one happened in the first minutes of the next day.
const (
	variety    = 16
	withoutID  = 3
	withoutAt  = 7
	nextDay    = 11
	longParams = 13
)

// dayOf is the day whose index the event belongs into.
func (o *object) dayOf(serial int) time.Time {
	if serial%variety == nextDay {
		return o.day.AddDate(0, 0, 1)
	}
	return o.day
}

// record is one record of a log file.
func record(serial int, day time.Time, padding string) string {
	at := day.Add(23*time.Hour + 50*time.Minute + time.Duration(serial%300)*time.Second)
	id := fmt.Sprintf(`"eventID":"%08x-0000-4000-8000-%012x",`, serial, serial)
	switch serial % variety {
	case withoutID:
		id = ""
	case nextDay:
		at = day.AddDate(0, 0, 1).Add(time.Duration(serial%180) * time.Second)
	case longParams:
		padding += strings.Repeat("0123456789abcdef", 256)
	}
	eventTime := `"eventTime":"` + at.Format(time.RFC3339) + `",`
	if serial%variety == withoutAt {
		eventTime = ""
	}
	return `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:deploy","arn":"arn:aws:sts::111122223333:assumed-role/deploy/ci",` +
		`"accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE",` +
		`"arn":"arn:aws:iam::111122223333:role/deploy","accountId":"111122223333","userName":"deploy"},"attributes":{"creationDate":"2024-02-27T09:00:00Z","mfaAuthenticated":"false"}}},` +
		eventTime + id + `"eventSource":"ec2.amazonaws.com","eventName":"RunInstances","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.7","userAgent":"aws-cli/2.15",` +
		`"requestParameters":{"instanceType":"t3.micro","minCount":1,"dryRun":false,"note":"` + padding + `"},"responseElements":{"instancesSet":{"items":[{"instanceId":"i-0123456789abcdef0"}]}},` +
		`"requestID":"` + markOf(serial) + `","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}`
}
