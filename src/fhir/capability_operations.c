/* What is served besides the interactions: one row an operation.  A row here
 * without a route in api/routes.c fails tests/assertions (the statement is
 * asked line by line). */
#include "fhir/capability_int.h"

#define HL7(name_) STR_INIT("http://hl7.org/fhir/OperationDefinition/" name_)
#define BULK(name_)                                                            \
    STR_INIT("http://hl7.org/fhir/uv/bulkdata/OperationDefinition/" name_)
#define US_CORE(name_)                                                         \
    STR_INIT("http://hl7.org/fhir/us/core/StructureDefinition/us-core-" name_)

const struct capability_operation capability_operations[] = {
    { STR_INIT("*"), STR_INIT("validate"), HL7("Resource-validate"), IN_ALL },
    { STR_INIT("Patient"), STR_INIT("everything"), HL7("Patient-everything"),
      IN_ALL },
    { STR_INIT("Observation"), STR_INIT("lastn"), HL7("Observation-lastn"),
      IN_ALL },
    { STR_INIT("DocumentReference"), STR_INIT("docref"),
      STR_INIT("http://hl7.org/fhir/us/core/OperationDefinition/docref"),
      IN_R4 },
    { STR_INIT(""), STR_INIT("export"), BULK("export"), IN_ALL },
    { STR_INIT("Patient"), STR_INIT("export"), BULK("patient-export"), IN_ALL },
    { STR_INIT("Group"), STR_INIT("export"), BULK("group-export"), IN_ALL },
};
const size_t capability_operation_count =
    sizeof capability_operations / sizeof capability_operations[0];

const struct capability_profile capability_profiles[] = {
    { STR_INIT("AllergyIntolerance"), US_CORE("allergyintolerance") },
    { STR_INIT("CarePlan"), US_CORE("careplan") },
    { STR_INIT("CareTeam"), US_CORE("careteam") },
    { STR_INIT("Condition"), US_CORE("condition-encounter-diagnosis") },
    { STR_INIT("Condition"), US_CORE("condition-problems-health-concerns") },
    { STR_INIT("Coverage"), US_CORE("coverage") },
    { STR_INIT("Device"), US_CORE("implantable-device") },
    { STR_INIT("DiagnosticReport"), US_CORE("diagnosticreport-lab") },
    { STR_INIT("DiagnosticReport"), US_CORE("diagnosticreport-note") },
    { STR_INIT("DocumentReference"), US_CORE("documentreference") },
    { STR_INIT("Encounter"), US_CORE("encounter") },
    { STR_INIT("Goal"), US_CORE("goal") },
    { STR_INIT("Immunization"), US_CORE("immunization") },
    { STR_INIT("Location"), US_CORE("location") },
    { STR_INIT("Medication"), US_CORE("medication") },
    { STR_INIT("MedicationDispense"), US_CORE("medicationdispense") },
    { STR_INIT("MedicationRequest"), US_CORE("medicationrequest") },
    { STR_INIT("Observation"), US_CORE("observation-lab") },
    { STR_INIT("Observation"), US_CORE("smokingstatus") },
    { STR_INIT("Observation"), US_CORE("vital-signs") },
    { STR_INIT("Organization"), US_CORE("organization") },
    { STR_INIT("Patient"), US_CORE("patient") },
    { STR_INIT("Practitioner"), US_CORE("practitioner") },
    { STR_INIT("PractitionerRole"), US_CORE("practitionerrole") },
    { STR_INIT("Procedure"), US_CORE("procedure") },
    { STR_INIT("Provenance"), US_CORE("provenance") },
    { STR_INIT("QuestionnaireResponse"), US_CORE("questionnaireresponse") },
    { STR_INIT("RelatedPerson"), US_CORE("relatedperson") },
    { STR_INIT("ServiceRequest"), US_CORE("servicerequest") },
    { STR_INIT("Specimen"), US_CORE("specimen") },
};
const size_t capability_profile_count =
    sizeof capability_profiles / sizeof capability_profiles[0];
