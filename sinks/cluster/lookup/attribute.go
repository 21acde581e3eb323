package lookup

import "github.com/trailship/trailship/history"

// The fields of documents that questions are asked of. All of them are keywords but the ones that say otherwise.
const (
	fieldTime      = "@timestamp" // date
	fieldID        = "event.id"
	fieldAction    = "event.action"
	fieldProvider  = "event.provider"
	fieldOutcome   = "event.outcome"
	fieldRegion    = "cloud.region"
	fieldAccount   = "cloud.account.id"
	fieldAddress   = "source.address"
	fieldIP        = "source.ip" // ip
	fieldAgent     = "user_agent.original"
	fieldUser      = "user.name"
	fieldPrincipal = "user.id"
	fieldRelated   = "related.user"

	trailFields    = "aws.cloudtrail."
	fieldRecipient = trailFields + "recipient_account_id"
	fieldError     = trailFields + "error_code"
	fieldMessage   = trailFields + "error_message"
	fieldReadOnly  = trailFields + "read_only" // boolean
	fieldConsole   = trailFields + "session_credential_from_console"
	fieldMFAUsed   = trailFields + "console_login.additional_eventdata.mfa_used" // boolean

	identityFields  = trailFields + "user_identity."
	fieldIdentity   = identityFields + "type"
	fieldARN        = identityFields + "arn"
	fieldKey        = identityFields + "access_key_id"
	fieldInvokedBy  = identityFields + "invoked_by"
	fieldBehalf     = identityFields + "on_behalf_of.user_id"
	fieldMFA        = identityFields + "session_context.mfa_authenticated"
	fieldCreated    = identityFields + "session_context.creation_date" // date
	fieldSourceID   = identityFields + "session_context.source_identity"
	fieldIssuer     = identityFields + "session_context.session_issuer.arn"
	fieldIssuerID   = identityFields + "session_context.session_issuer.principal_id"
	fieldResource   = trailFields + "resources.arn"
	fieldOwner      = trailFields + "resources.account_id"
	fieldEntity     = "related.entity"
	fieldDetails    = trailFields + "additional_eventdata"
	fieldResponse   = trailFields + "response_elements"
	flattenedFields = trailFields + "flattened."
)

// freeForm are the free-form objects of a record, which documents have as texts, analysed in the sub-field text, and below
// flattened as objects.
func freeForm() []string {
	return []string{"request_parameters", "response_elements", "additional_eventdata", "service_event_details"}
}

// objects are the fields with the free-form objects. A search in one of them looks at all values in it, wherever they are.
func objects() []string {
	fields := freeForm()
	for i, form := range fields {
		fields[i] = flattenedFields + form
	}
	return fields
}

// fieldOf is the field that has an attribute's value and nothing else, "" where it takes more to tell.
func fieldOf(a history.Attribute) string {
	switch a {
	case history.EventName:
		return fieldAction
	case history.EventSource:
		return fieldProvider
	case history.AccessKey:
		return fieldKey
	case history.Region:
		return fieldRegion
	case history.SourceIP:
		return fieldAddress
	case history.ErrorCode:
		return fieldError
	case history.Identity:
		return fieldIdentity
	case history.UserAgent:
		return fieldAgent
	case history.EventType:
		return trailFields + "event_type"
	case history.Category:
		return trailFields + "event_category"
	case history.RequestID:
		return trailFields + "request_id"
	case history.SharedID:
		return trailFields + "shared_event_id"
	case history.InvokedBy:
		return fieldInvokedBy
	}
	return ""
}

// counted are the clauses and fields that have an attribute's values when one field is not enough, nil where counting takes
// reading documents.
type counted struct {
	when  query
	field string
}

// sources are where the values of an attribute are counted; nil when that takes reading documents.
func sources(a history.Attribute) []counted {
	if name := fieldOf(a); name != "" {
		return []counted{{everything(), name}}
	}
	if a == history.Account {
		return []counted{{everything(), fieldRecipient}, {neither(has(fieldRecipient)), fieldAccount}}
	}
	return nil
}

// word passes the documents whose attribute, of which there are Words that a field can tell, is the word.
func word(a history.Attribute, says string) query {
	switch a {
	case history.ReadOnly:
		return truth(says, is(fieldReadOnly, "true"))
	case history.Console:
		return truth(says, is(fieldConsole, "true", "True", "TRUE"))
	case history.Service:
		return truth(says, byService())
	case history.MFA:
		return withMFA(says)
	case history.OutcomeIs:
		return ended(says)
	}
	return nothing()
}

// truth passes what the clause passes when the word is true, else all other documents: what does not say is false.
func truth(word string, clause query) query {
	if word == "true" {
		return clause
	}
	return neither(clause)
}

// byService passes calls by AWS itself, or on a user's behalf.
func byService() query {
	return either(is(fieldIdentity, "AWSService"), has(fieldInvokedBy), all(has(fieldAddress), neither(has(fieldIP))))
}

// withMFA passes what says so. A sign-in says it in a place of its own, and one by SAML says nothing.
func withMFA(word string) query {
	words := []string{"true", "True", "TRUE"}
	login := is(fieldMFAUsed, "true")
	if word == "false" {
		words = []string{"false", "False", "FALSE"}
		login = neither(is(fieldMFAUsed, "true"))
	}
	saml := query{Phrase: map[string]phrase{fieldDetails + ".text": {Query: "SamlProviderArn"}}}
	return either(
		all(neither(is(fieldAction, consoleLogin)), is(fieldMFA, words...)),
		all(is(fieldAction, consoleLogin), login, neither(saml, has(flattenedFields+"additional_eventdata.SamlProviderArn"))),
	)
}

// ended passes calls by how they ended. A denied one is a failure, too.
func ended(word string) query {
	success := is(fieldOutcome, history.Success.String())
	switch word {
	case history.Success.String():
		return success
	case history.Denied.String():
		return all(neither(success), either(
			is(fieldError, "AuthorizationError"), begins(fieldError, "AccessDenied"), ends(fieldError, "UnauthorizedOperation"),
			begins(fieldError, "NotAuthorized"), begins(fieldError, "Forbidden"),
		))
	}
	return neither(success)
}
