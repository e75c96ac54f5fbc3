//! The processes of a job, as the hosts file names them.

use std::path::Path;

use super::ConfigError;

/// Which processes a job has, where they listen for each other, and which of them this is.
///
/// The file has a line `HOST:PORT` for each process, in their order; what follows a `#` is a comment. A host
/// may be a name or an address, an IPv6 address in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    addresses: Vec<String>,
    process: usize,
}

impl Hosts {
    /// More processes than this are refused: every one talks to every other.
    const AT_MOST: usize = 64;

    /// Reads the file, for the process with this number.
    ///
    /// # Errors
    /// [`ConfigError`] where the file can not be read, a line is no address, or has no such process.
    pub fn read(file: &Path, process: usize) -> Result<Hosts, ConfigError> {
        let text = std::fs::read_to_string(file)
            .map_err(|error| ConfigError::new("hosts", format!("{} can not be read: {error}", file.display())))?;
        Hosts::parse(&text, process)
            .map_err(|error| ConfigError { message: format!("{}: {}", file.display(), error.message), ..error })
    }

    fn parse(text: &str, process: usize) -> Result<Hosts, ConfigError> {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let addresses: Vec<String> = lines.filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if addresses.is_empty() || addresses.len() > Hosts::AT_MOST {
            let message = format!("has {} lines HOST:PORT, and needs 1 to {}", addresses.len(), Hosts::AT_MOST);
            return Err(ConfigError::new("hosts", message));
        }
        let is_address = |text: &str| {
            text.rsplit_once(':').is_some_and(|(host, port)| {
                let is_host = (host.starts_with('[') && host.ends_with(']')) || !host.contains(':');
                !host.is_empty() && is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
            })
        };
        if let Some(line) = addresses.iter().find(|line| !is_address(line)) {
            return Err(ConfigError::new("hosts", format!("{line:?} is not HOST:PORT, such as takings-0:2101")));
        }
        let mut sorted: Vec<&String> = addresses.iter().collect();
        sorted.sort();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(ConfigError::new("hosts", format!("{} is there twice; each process has its own", pair[0])));
        }
        if process >= addresses.len() {
            let message = format!(
                "{process} is none of the {} processes that the hosts file names, which count from 0",
                addresses.len()
            );
            return Err(ConfigError::new("process", message));
        }
        Ok(Hosts { addresses, process })
    }

    /// How many processes there are.
    pub fn processes(&self) -> usize {
        self.addresses.len()
    }

    /// Which one this is, from 0.
    pub const fn process(&self) -> usize {
        self.process
    }

    /// Where a process listens.
    pub fn address(&self, process: usize) -> &str {
        self.addresses.get(process).map_or("an unknown address", String::as_str)
    }

    /// Every process but this one.
    pub fn peers(&self) -> impl Iterator<Item = usize> + use<> {
        let own = self.process;
        (0..self.addresses.len()).filter(move |process| *process != own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_process() {
        let text = "# the cluster\ntakings-0.shop:2101\n\n  [::1]:2102  # the second\n10.0.0.3:2103\n";
        let hosts = Hosts::parse(text, 1).expect("right");
        assert_eq!((hosts.processes(), hosts.process(), hosts.address(1)), (3, 1, "[::1]:2102"));
        assert_eq!(hosts.peers().collect::<Vec<_>>(), [0, 2]);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let refused = |text, process| Hosts::parse(text, process).expect_err(text);
        for text in ["", "# nothing\n", "host\n", "host:0\n", ":2101\n", "::1:2101\n", "host:port\n", "a:1\na:1\n"] {
            assert_eq!(refused(text, 0).setting, "hosts", "{text:?}");
        }
        let error = refused("a:1\nb:1\n", 2);
        assert_eq!(error.setting, "process");
        assert!(error.message.contains("2 processes"), "{error}");
    }
}
