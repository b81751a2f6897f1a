#include "ui/page_connect.h"

#include "ui/html.h"

/* What happened, and what to do next, in plain words.  The first rows are the
 * codes that connect_finish() gives to apps; the last one stands for any
 * other. */
static const struct failure {
    struct str code, title, what, next;
} failures[] = {
    { STR_INIT("access_denied"), STR_INIT("You did not allow access"),
      STR_INIT("The sign-in was cancelled, or the box to share your records "
               "was not agreed to. Nothing was collected."),
      STR_INIT("If that was not what you meant, start again and choose to "
               "allow access.") },
    { STR_INIT("invalid_scope"),
      STR_INIT("The health system refused the request"),
      STR_INIT("It does not hand out the kinds of record that were asked for."),
      STR_INIT("Tell the people who run your app; you cannot solve this "
               "yourself.") },
    { STR_INIT("unauthorized_client"),
      STR_INIT("The health system does not know this app"),
      STR_INIT("It does not accept connections from this app yet."),
      STR_INIT("Tell the people who run your app; they have to register with "
               "the health system.") },
    { STR_INIT("invalid_request"),
      STR_INIT("The health system did not understand the request"),
      STR_INIT("Something about the request was not as it expects."),
      STR_INIT("Try once more; if it fails again, tell the people who run your "
               "app.") },
    { STR_INIT("temporarily_unavailable"),
      STR_INIT("The health system does not answer now"),
      STR_INIT("It is down or very busy."),
      STR_INIT("Wait some minutes and start again.") },
    { STR_INIT("code_rejected"), STR_INIT("The sign-in was not completed"),
      STR_INIT("The health system did not accept its own sign-in code, often "
               "because the page was reloaded or too much time went by."),
      STR_INIT("Start again and sign in without reloading.") },
    { STR_INIT("client_rejected"),
      STR_INIT("The health system does not accept this app"),
      STR_INIT("The credentials that the app uses there are wrong or have "
               "expired."),
      STR_INIT("Tell the people who run your app; you cannot solve this "
               "yourself.") },
    { STR_INIT("patient_not_found"), STR_INIT("No record was found"),
      STR_INIT("You signed in, but the health system did not say whose record "
               "this is."),
      STR_INIT("Make sure that your account there belongs to a patient. "
               "Accounts of staff or relatives may have no record of their "
               "own.") },
    { STR_INIT("ambiguous_patient"),
      STR_INIT("This account shows several people"),
      STR_INIT("The health system shows the records of more than one person "
               "to this account."),
      STR_INIT("Start again and choose one person while you sign in there.") },
    /* our own */
    { STR_INIT("link_expired"), STR_INIT("This link has expired"),
      STR_INIT("For your safety it works for a short time only."),
      STR_INIT("Go back to the app you came from and choose to connect "
               "again.") },
    { STR_INIT("sign_in_lost"), STR_INIT("This sign-in cannot be continued"),
      STR_INIT("It was used already, took longer than half an hour, or was "
               "begun in another browser. Nothing was collected."),
      STR_INIT("Go back to the app you came from and start again.") },
    { STR_INIT("not_configured"),
      STR_INIT("This health system is not set up here yet"),
      STR_INIT("The people who run this service have no registration with it, "
               "or it does not offer the records in the form that was asked "
               "for."),
      STR_INIT("Choose another health system, or tell the people who run your "
               "app.") },
    { STR_INIT("unknown_system"), STR_INIT("There is no such health system"),
      STR_INIT("The link names one that is not in the directory."),
      STR_INIT("Go back and search for it by its name.") },
    { STR_INIT("unreachable"),
      STR_INIT("The health system does not answer now"),
      STR_INIT("It could not be asked where you sign in."),
      STR_INIT("Wait some minutes and start again.") },
    { STR_INIT("not_found"), STR_INIT("There is nothing here"),
      STR_INIT("The address is wrong or what was here is gone."),
      STR_INIT("Go back to the page you came from.") },
    { STR_INIT("not_understood"), STR_INIT("The request was not understood"),
      STR_INIT("Something in the address or the form is not as it should be."),
      STR_INIT("Go back to the page you came from and try again.") },
    { STR_INIT("too_often"), STR_INIT("Too many tries"),
      STR_INIT("There were more requests than is allowed."),
      STR_INIT("Wait a minute and try again.") },
    { STR_INIT("server_error"), STR_INIT("Something went wrong"),
      STR_INIT("It is not your fault. Nothing of yours was lost."),
      STR_INIT("Wait a moment and start again; if it fails again, tell the "
               "people who run your app.") },
};
#define FAILURES (sizeof failures / sizeof failures[0])

static const struct failure *find(struct str code)
{
    size_t i = 0;
    while (i < FAILURES - 1 && !str_eq(failures[i].code, code))
        i++;
    return &failures[i];
}

void page_failed(struct http_response *out, const struct page_failed *f)
{
    struct buf *b = &out->body;
    const struct failure *failure = find(f->code);
    struct page layout = { .title = failure->title, .script = STR("") };
    page_begin(out, &layout);
    HTML(b, "<section class=\"panel\"><h1>");
    html_text(b, failure->title);
    HTML(b, "</h1>");
    if (f->system_name.n > 0) {
        HTML(b, "<p class=\"where\">");
        html_text(b, f->system_name);
        HTML(b, "</p>");
    }
    HTML(b, "<p>");
    html_text(b, failure->what);
    HTML(b, "</p><p class=\"notice\"><strong>What to do next:</strong> ");
    html_text(b, failure->next);
    HTML(b, "</p>");
    if (f->retry_url.n > 0) {
        HTML(b, "<p class=\"actions\"><a class=\"button wide\"");
        html_link(b, STR("href"), f->retry_url);
        HTML(b, ">Start again</a></p>");
    }
    HTML(b, "<p class=\"small\">If you ask for help, give this: <code>");
    html_text(b, failure->code);
    if (f->request_id.n > 0) {
        HTML(b, " ");
        html_text(b, f->request_id);
    }
    HTML(b, "</code>");
    if (f->detail.n > 0) {
        HTML(b, "<br>");
        html_text(b, f->detail);
    }
    HTML(b, "</p></section>");
    page_end(out, &layout);
}
