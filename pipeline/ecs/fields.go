package ecs

// Type is what a field is to a search cluster, in Elasticsearch's words. A template builder picks the nearest type that
// its cluster knows: flattened is flat_object in OpenSearch, constant_keyword and match_only_text have older stand-ins.
type Type uint8

// The types of the fields that documents have.
const (
	Keyword Type = iota
	ConstantKeyword
	Text
	MatchOnlyText
	Date
	IP
	Boolean
	Long
	GeoPoint
	Flattened
)

// String is the type's name in Elasticsearch.
func (t Type) String() string {
	switch t {
	case ConstantKeyword:
		return "constant_keyword"
	case Text:
		return "text"
	case MatchOnlyText:
		return "match_only_text"
	case Date:
		return "date"
	case IP:
		return "ip"
	case Boolean:
		return "boolean"
	case Long:
		return "long"
	case GeoPoint:
		return "geo_point"
	case Flattened:
		return "flattened"
	}
	return "keyword"
}

// A Field says how one field of the documents is to be mapped.
type Field struct {
	Name string // the full path, with dots
	Type Type
	// IgnoreAbove is, of a keyword, the number of characters from which a value is kept but not indexed; 0: no limit.
	IgnoreAbove int
	// Sub is the type of a sub-field named "text" for full-text search, Text or MatchOnlyText; Keyword: there is none.
	Sub Type
	// Folded keywords are found whatever the case; a sub-field named "keyword" has them as they are.
	Folded bool
	// Unindexed fields are only ever shown: no index, no doc values.
	Unindexed bool
}

const (
	keywordLimit = 1024 // ECS's ignore_above
	longLimit    = 8191 // the most whose UTF-8 never passes Lucene's 32,766 bytes a term
)

// Fields lists every field that a document can have, those that enrichers add to it included. The root of a mapping made
// from it must be "dynamic": false: objects of resources, and of nothing else, may have other members.
// Source: MAPPING section 17.
func Fields() []Field {
	var fields []Field
	add := func(proto Field, prefix string, names ...string) {
		for _, name := range names {
			proto.Name = prefix + name
			fields = append(fields, proto)
		}
	}
	keyword := Field{Type: Keyword, IgnoreAbove: keywordLimit}
	addShipperFields(add, keyword)
	addECSFields(add, keyword)
	addEntityFields(add, keyword)
	addCloudTrailFields(add, keyword)
	addEnrichedFields(add, keyword)
	return fields
}

type adder func(proto Field, prefix string, names ...string)

// addShipperFields are those that say where a document comes from.
func addShipperFields(add adder, keyword Field) {
	add(Field{Type: Date}, "", "@timestamp", "event.created", "event.ingested")
	add(Field{Type: ConstantKeyword}, "", "data_stream.type", "data_stream.dataset", "data_stream.namespace",
		"event.dataset", "event.module")
	add(Field{Type: Keyword, Unindexed: true}, "", "event.original")
	add(Field{Type: MatchOnlyText}, "", "error.message")
	add(keyword, "", "ecs.version", "tags", "input.type", "log.file.path",
		"aws.s3.bucket.name", "aws.s3.bucket.arn", "aws.s3.object.key")
	add(Field{Type: Long}, "", "log.offset")
}

// addECSFields are those of the Elastic Common Schema 8.11.
func addECSFields(add adder, keyword Field) {
	named := Field{Type: Keyword, IgnoreAbove: keywordLimit, Sub: MatchOnlyText}
	add(keyword, "event.", "id", "kind", "category", "type", "outcome", "action", "provider")
	add(keyword, "cloud.", "provider", "region", "account.id", "service.name")
	add(Field{Type: IP}, "", "source.ip", "related.ip")
	add(keyword, "", "source.address", "related.user", "related.hosts", "related.hash", "related.entity")
	add(keyword, "source.geo.", "city_name", "continent_name", "country_iso_code", "country_name", "region_iso_code",
		"region_name")
	add(Field{Type: GeoPoint}, "", "source.geo.location")
	add(Field{Type: Long}, "", "source.as.number")
	add(named, "", "source.as.organization.name")
	add(keyword, "", "user.id", "user.email", "user.target.id", "group.id", "group.name")
	add(named, "", "user.name", "user.target.name", "user.changes.name", "file.path")
	add(named, "user_agent.", "original", "os.name", "os.full")
	add(keyword, "user_agent.", "name", "version", "device.name", "os.version")
	add(keyword, "tls.", "version", "version_protocol", "cipher", "client.server_name")
}

// addEntityFields are Elastic's actor and target entities.
func addEntityFields(add adder, keyword Field) {
	add(keyword, "", "actor.entity.id", "target.entity.id", "entity.id", "entity.target.id")
	for _, kind := range []string{"user", "service", "host"} {
		add(keyword, kind, ".entity.id", ".target.entity.id")
	}
}

// addEnrichedFields are those that only enrichers and the configuration fill.
func addEnrichedFields(add adder, keyword Field) {
	named := Field{Type: Keyword, IgnoreAbove: keywordLimit, Sub: MatchOnlyText}
	add(Field{Type: Flattened, IgnoreAbove: longLimit}, "", "aws.iam.user.tags", "aws.iam.role.tags", "labels")
	add(keyword, "", "aws.iam.user.tag", "aws.iam.role.tag", "aws.iam.user.path", "aws.iam.role.path",
		"cloud.account.name", "organization.id", "user.group.id", "user.group.name", "user.group.domain", "user.domain", "user.roles")
	add(named, "", "organization.name", "user.full_name")
}

// addCloudTrailFields are those below aws.cloudtrail.
func addCloudTrailFields(add adder, keyword Field) {
	const root = "aws.cloudtrail."
	add(keyword, root, "event_version", "event_category", "event_type", "api_version", "error_code", "error_message",
		"request_id", "management_event", "recipient_account_id", "shared_event_id", "vpc_endpoint_id",
		"vpc_endpoint_account_id", "session_credential_from_console", "tls_details.key_exchange",
		"console_login.additional_eventdata.login_to")
	add(keyword, root+"addendum.", "reason", "updated_fields", "original_request_id", "original_event_id")
	add(keyword, root+"resources.", "arn", "account_id", "type")
	add(Field{Type: Boolean}, root, "read_only", "console_login.additional_eventdata.mobile_version",
		"console_login.additional_eventdata.mfa_used", "user_identity.session_context.assumed_root")
	add(Field{Type: Keyword, IgnoreAbove: longLimit, Sub: Text}, root, "request_parameters", "response_elements")
	add(Field{Type: Keyword, IgnoreAbove: keywordLimit, Sub: Text}, root, "additional_eventdata", "service_event_details")
	add(Field{Type: Flattened, IgnoreAbove: longLimit}, root, "flattened.request_parameters",
		"flattened.response_elements", "flattened.additional_eventdata", "flattened.service_event_details",
		"flattened.digest", "flattened.insight_details", "flattened.other", "event_context",
		"user_identity.session_context.web_id_federation_data.attributes")
	identity := root + "user_identity."
	add(keyword, identity, "type", "arn", "access_key_id", "invoked_by", "invoked_by_delegate.account_id",
		"credential_id", "identity_provider", "in_scope_of.issuer_type", "in_scope_of.credentials_issued_to",
		"in_scope_of.source_arn", "in_scope_of.source_account", "on_behalf_of.user_id",
		"on_behalf_of.identity_store_arn")
	add(Field{Type: Date}, identity, "session_context.creation_date")
	add(keyword, identity+"session_context.", "mfa_authenticated", "ec2_role_delivery", "source_identity",
		"sign_in_session_arn", "web_id_federation_data.federated_provider", "session_issuer.type",
		"session_issuer.principal_id", "session_issuer.arn", "session_issuer.account_id")
}
