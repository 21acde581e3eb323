package main

import (
	"net/http"
	"slices"
	"time"

	"github.com/trailship/trailship/test/standin"
)

// enrichedRows has everything at once, and IAM that hardly ever answers: records must wait for it no longer than they may,
// and go on without.
func enrichedRows() []*row {
	r := *mixedRows()[0]
	r.name = "everything-iam"
	r.faults = append(slices.Clone(r.faults), fault{kind: kindIAM, rate: 0.8}, fault{kind: kindSlowIAM, rate: 0.5, delay: 3 * time.Second})
	r.settings += "enrich: {wait: 1s, iam_tags: {assume_role_name: ledger}, account_names: {static: {\"111122223333\": audit}}}\n" +
		"filters: {drop: [{eventName: [Nothing], sourceIPAddress: [{cidr: 10.0.0.0/8}]}]}\n"
	return []*row{&r}
}

// iam is IAM and STS of the account that the records are from, with the row's faults.
func (w *world) iam() *standin.IAM {
	people := &standin.IAM{Own: "111122223333"}
	people.Put("111122223333", "role/deploy", standin.Principal{Path: "/ci/", Tags: map[string]string{"team": "build"}})
	people.Answer = func(c standin.Call) (status int, code string, delay time.Duration) {
		if c.Service != "iam" {
			return 0, "", 0
		}
		if f := w.strike(kindSlowIAM, nil); f != nil {
			delay = f.delay
		}
		if w.strike(kindIAM, nil) == nil {
			return 0, "", delay
		}
		switch {
		case w.roll(1.0 / 3):
			return http.StatusForbidden, "AccessDenied", delay
		case w.roll(1.0 / 2):
			return http.StatusBadRequest, "Throttling", delay
		}
		return http.StatusInternalServerError, "ServiceFailure", delay
	}
	return people
}
