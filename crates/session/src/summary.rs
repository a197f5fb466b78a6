//! Summaries that stand for a conversation: what a model is asked, and how the next one is told.

use crate::message::Message;

const ASK: &str = "Write down what somebody needs who goes on with this conversation and has not read it: what is wanted, \
                   what was decided and why, facts, names, figures and code that still matter, what is done and what is \
                   left to do. Be complete and brief, in the language of the conversation. Do not answer anything said in \
                   it, and call no tools. Write the summary alone.";

const TOLD: &str = "What was said before in this conversation, in summary:";

/// Goes behind the conversation.
pub fn ask() -> Message {
    Message::user(ASK)
}

/// Stands in the place of the conversation.
pub fn told(summary: &str) -> Message {
    Message::system(&format!("{TOLD}\n\n{summary}"))
}
